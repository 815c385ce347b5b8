"""A promotion request with all that its page shows, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core.actor import Actor
from apps.experiments.models import Experiment, Run
from apps.registry import deciding, wording
from apps.registry.models import Decision, GateResult, GateState, ModelVersion, PromotionRequest, RequestState
from apps.registry.policies import Rules
from apps.registry.selectors.beside import Beside, beside, in_place

MOST_PEOPLE = 30


@dataclass(frozen=True, slots=True)
class GateView:
    """A gate as pages show it. `is_hidden`: its text has values of a run that the reader may not read."""

    title: str
    state: str
    text: str
    is_hidden: bool
    evaluated_ms: int | None
    # Where one sees what it judges by, or (`starts`) makes it.
    url: str = ""
    starts: bool = False

    @property
    def has_passed(self) -> bool:
        return self.state == GateState.PASSED


@dataclass(frozen=True, slots=True)
class RequestPage:
    """The evidence and the people of one request. `why_not` says why the reader has no say, where they have none."""

    request: PromotionRequest
    rules: Rules
    words: list[str]
    gates: list[GateView]
    decisions: list[Decision]
    earlier: list[Decision]
    approvers: list[str]
    beside: Beside
    version: ModelVersion
    comments: int
    run: Run | None
    may_decide: bool
    may_reject: bool
    may_cancel: bool
    why_not: str

    @property
    def needed(self) -> int:
        return self.rules.approvals

    @property
    def approvals(self) -> int:
        return sum(word.approves for word in self.decisions)

    @property
    def passed(self) -> int:
        return sum(gate.has_passed for gate in self.gates)

    @property
    def holding(self) -> str:
        """Why an approval would be refused now: gates that have not passed."""
        waiting = len(self.gates) - self.passed
        text = ngettext("%(n)s gate has not passed yet.", "%(n)s gates have not passed yet.", waiting)
        return text % {"n": waiting} + " " + _("Until then an approval is refused.") if waiting else ""

    @property
    def ending(self) -> str:
        """How it ended, as a sentence."""
        said = {
            RequestState.APPLIED: _("It was approved, and the version was moved."),
            RequestState.REJECTED: _("%(who)s rejected it."),
            RequestState.CANCELLED: _("%(who)s took it back."),
            RequestState.EXPIRED: _("Its time ran out."),
            RequestState.SUPERSEDED: _("It was overtaken: the version got there by another way."),
        }
        return said.get(RequestState(self.request.state), "") % {"who": self.request.closed_by}


def request_page(actor: Actor, request: PromotionRequest) -> RequestPage:
    """All of it, for somebody who fetched the request."""
    rules = Rules.from_json(request.rules)
    words = list(Decision.objects.filter(request=request).order_by("-round", "created_ms", "pk"))
    now = [word for word in words if word.round == request.round]
    names, version = wording.Names.of(rules), request.version
    why_not = _why_not(actor, request, rules, names, now)
    return RequestPage(
        request=request,
        rules=rules,
        words=wording.words_of(rules, request.slot, names),
        gates=gate_views(actor, rules, list(GateResult.objects.filter(request=request, round=request.round))),
        decisions=now,
        earlier=[word for word in words if word.round != request.round],
        approvers=list(deciding.approvers_of(request).values_list("username", flat=True)[:MOST_PEOPLE]),
        beside=_beside(actor, request, rules),
        version=version,
        comments=version.comments.count(),
        run=Run.objects.visible_to(actor).filter(pk=version.source_run_id or 0).first(),
        may_decide=not why_not,
        may_reject=not why_not or _may_reject(actor, request, rules, now),
        may_cancel=request.is_open and deciding.may_withdraw(actor, request),
        why_not=why_not,
    )


def gate_views(actor: Actor, rules: Rules, results: Collection[GateResult]) -> list[GateView]:
    """The gates that rules name with what was found; values of runs that the reader may not read are left out."""
    found = {result.place: result for result in results}
    hidden = _hidden(actor, results)
    return [_view(gate, found.get(place), hidden) for place, gate in enumerate(rules.gates)]


def _view(gate: Mapping[str, Any], result: GateResult | None, hidden: set[int]) -> GateView:
    title = wording.gate_words(gate)
    if result is None:
        return GateView(title, GateState.PENDING, "", False, None)
    is_hidden = bool(hidden & set(result.experiments))
    seen: Mapping[str, Any] = {} if is_hidden else result.evidence
    url, starts = str(seen.get("url", "")), bool(seen.get("starts"))
    # What outside jobs report leads elsewhere.
    within = url if url.startswith("/") and not url.startswith("//") else ""
    text = "" if is_hidden else result.text
    return GateView(title, result.state, text, is_hidden, result.evaluated_ms, within, starts)


def _hidden(actor: Actor, results: Collection[GateResult]) -> set[int]:
    """Of the experiments whose values the results show, those that the actor may not read."""
    named = {key for result in results for key in result.experiments}
    if not named:
        return set()
    return named - set(Experiment.objects.visible_to(actor).filter(pk__in=named).values_list("pk", flat=True))


def _beside(actor: Actor, request: PromotionRequest, rules: Rules) -> Beside:
    """Beside what is in the slot; for a request that ended, what was there just before."""
    at_ms = None if request.is_open else (request.closed_ms or request.created_ms) - 1
    other = in_place(request.version.model, request.slot, without=request.version_id, at_ms=at_ms)
    keys = [str(gate["params"]["key"]) for gate in rules.gates if "key" in gate.get("params", {})]
    return beside(actor, request.version, other, keys)


def _why_not(
    actor: Actor, request: PromotionRequest, rules: Rules, names: wording.Names, words: Collection[Decision]
) -> str:
    """Why the actor has no say now; empty: they have."""
    if not request.is_open:
        return _("The request has ended.")
    if _has_spoken(actor, words):
        return _("You said your word in this round.")
    if deciding.may_decide(actor, request):
        return ""
    if not rules.allows_self_approval and actor.user_id in deciding.owners_of(request):
        return _("It is your own: you asked, made the version, or hold the service account that did. Others decide.")
    return _("It is decided on by %(who)s.") % {"who": wording.approver_words(rules, names)}


def _may_reject(actor: Actor, request: PromotionRequest, rules: Rules, words: Collection[Decision]) -> bool:
    """Also one's own may be rejected, by an approver."""
    if not request.is_open or _has_spoken(actor, words):
        return False
    return deciding.approvers(rules, request.version.model).filter(pk=actor.user_id or 0).exists()


def _has_spoken(actor: Actor, words: Collection[Decision]) -> bool:
    return any(word.user_id is not None and word.user_id == actor.user_id for word in words)
