"""Policies: the site's, the teams' and the models', as lists and as one form with a summary in words beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.access import get_team
from apps.accounts.models import Team
from apps.core.actor import Role
from apps.core.errors import NotFound
from apps.core.http import ActorRequest, is_fragment
from apps.core.pages import MENDABLE, REFUSED, done, methods
from apps.core.rules import signed_in
from apps.registry import access, actions, gates, wording
from apps.registry.models import Policy, RegisteredModel
from apps.registry.names import MAX_ALIAS
from apps.registry.policies import PolicyBook, Rules
from apps.registry.selectors import policies
from apps.registry.selectors.groups import administered
from apps.registry.selectors.slots import parse_slot, slot_key
from apps.registry.stages import ENTERED, Slot, SlotKind, Stage
from apps.registry.web.common import refusals_in
from apps.registry.web.policy_forms import MOST_GATES, GateForm, PolicyForm, gate_forms, kept_gate_forms
from apps.registry.web.views.models import frame

_PAGE_SIZE = 100
_FIRST = Slot.stage(Stage.PRODUCTION)
_FRESH = Rules(approver_role=Role.MAINTAINER.value, override_by="site")


@dataclass(frozen=True, slots=True)
class Owner:
    """What a policy is of: a model, a team's models, or (neither) all of the site."""

    team: Team | None = None
    model: RegisteredModel | None = None

    @property
    def name(self) -> str:
        if self.model:
            return self.model.name
        return _("the team %s") % self.team.name if self.team else _("the site")

    @property
    def reach(self) -> Team | None:
        """The team whose people and groups it can name."""
        return self.model.team if self.model else self.team


@signed_in
@methods("GET")
def policy_list(request: ActorRequest) -> HttpResponse:
    """The policies that one may see, in words."""
    page = Paginator(policies.policies_for(request.actor), _PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "lines": policies.lines_of(request.actor, page.object_list),
        "teams": administered(request.actor),
    }
    return render(request, "registry/policy_list.html", context)


@signed_in
@methods("GET")
def model_policies(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """What governs each stage and protected alias of a model, and whose policy it is."""
    model = access.get_model_in(request.actor, team, name)
    context = frame(request.actor, model) | {"tab": "policies", "lines": policies.slots_of(request.actor, model)}
    context["may_change"] = access.sets_policies(request.actor, model.team_id)
    return render(request, "registry/model_policies.html", context)


@signed_in
@methods("GET", "POST")
def policy_new(request: ActorRequest) -> HttpResponse:
    """A policy of the site, or with `?team=` of a team, with `&model=` of a model; `?slot=` says what it is about."""
    owner = _owner(request)
    access.require_policies(request.actor, owner.reach)
    return _policy_form(request, owner, None)


@signed_in
@methods("GET", "POST")
def policy_change(request: ActorRequest, policy_id: int) -> HttpResponse:
    """Change a policy; those who may only see it read it."""
    policy = access.get_policy(request.actor, policy_id)
    if request.method == "GET" and not policies.may_change(request.actor, policy):
        lines = policies.lines_of(request.actor, [policy])
        return render(request, "registry/policy.html", {"line": lines[0], "crumbs": _crumbs(str(policy))})
    owner = Owner(policy.team, policy.model)
    access.require_policies(request.actor, owner.reach)
    return _policy_form(request, owner, policy)


@signed_in
@methods("POST")
def policy_delete(request: ActorRequest, policy_id: int) -> HttpResponse:
    """Remove a policy: the next wider one governs then, or the right alone."""
    policy = access.get_policy(request.actor, policy_id)
    try:
        actions.delete_policy(request.actor, policy=policy)
        messages.success(request, _("The policy is removed. Open requests that it concerned began anew."))
    except MENDABLE as error:
        messages.error(request, error.message)
    return redirect("registry:policies")


def _policy_form(request: ActorRequest, owner: Owner, policy: Policy | None) -> HttpResponse:
    """GET: the form. POST: `act` adds or removes a gate, asks for the summary, or saves; what was typed stays."""
    kept = _initial(request, owner, policy)
    data = request.POST if request.method == "POST" else None
    form = _prepared(PolicyForm(request.actor, owner.reach, data, kept), owner, policy)
    rows = gate_forms(request.POST) if data is not None else kept_gate_forms(kept["gates"])
    act = request.POST.get("act", "")
    rows = _changed(rows, act, request.POST.get("add_kind", ""))
    if act == "save" and _all_valid(form, rows):
        with refusals_in(form, "slot"):
            _save(request, owner, form, rows, _seen(request, policy))
            return done(request, _back(owner))
    context = _summary(owner, form, rows) if data is not None else _first_summary(owner, policy)
    if act not in ("", "save"):
        # Nobody said that it was filled in: what was typed stays, and nothing is called wrong yet.
        form, rows = _unjudged(request, owner, policy, form), [row.unjudged() for row in rows]
    return _answer(request, owner, policy, context | {"form": form, "rows": rows}, act)


def _unjudged(request: ActorRequest, owner: Owner, policy: Policy | None, form: PolicyForm) -> PolicyForm:
    typed = {name: form[name].value() for name in form.fields}
    return _prepared(PolicyForm(request.actor, owner.reach, None, typed), owner, policy)


def _prepared(form: PolicyForm, owner: Owner, policy: Policy | None) -> PolicyForm:
    if policy is not None:
        form.fields["slot"].disabled = form.fields["alias"].disabled = True
    if owner.model is not None:
        del form.fields["is_final"]
    return form


def _answer(
    request: ActorRequest, owner: Owner, policy: Policy | None, context: dict[str, Any], act: str
) -> HttpResponse:
    context |= {"owner": owner, "policy": policy, "kinds": gates.offered(), "back": _back(owner)}
    # What a save would replace: what was there when the form was opened, until the reader was told of another.
    kept = request.POST.get("revision", "") if act not in ("", "save") else ""
    context["revision"] = kept or (policies.revision_of(policy) if policy else "")
    context |= {"action": request.get_full_path(), "is_full": len(context["rows"]) >= MOST_GATES}
    # The button that was pressed went with its gate: whoever uses the keyboard goes on where gates are added.
    context["lost_focus"] = act.startswith("remove-")
    context["crumbs"] = _crumbs(_("Policy of %s") % owner.name)
    if act == "preview":
        return render(request, "registry/_policy_summary.html", context)
    template = "_policy_form" if is_fragment(request) else "policy_form"
    return render(request, f"registry/{template}.html", context, status=REFUSED if act == "save" else 200)


def _changed(rows: list[GateForm], act: str, kind: str) -> list[GateForm]:
    """The rows with one more, or without one."""
    if act == "add" and kind in gates.KINDS and gates.gate_of(kind).is_offered and len(rows) < MOST_GATES:
        place = max((row.place for row in rows), default=-1) + 1
        return [*rows, GateForm(gates.gate_of(kind), place, None)]
    return [row for row in rows if act != f"remove-{row.place}"]


def _all_valid(form: PolicyForm, rows: list[GateForm]) -> bool:
    return all([form.is_valid(), *(row.is_valid() for row in rows)])


def _seen(request: ActorRequest, policy: Policy | None) -> int | None:
    """The revision that the form was opened with: 0 where there was none, None where the form doesn't say."""
    written = request.POST.get("revision", "")
    if policy is None or not written:
        return 0 if policy is None else None
    return int(written) if re.fullmatch(r"[0-9]{1,9}", written) else -1


def _save(request: ActorRequest, owner: Owner, form: PolicyForm, rows: list[GateForm], seen: int | None) -> None:
    rules, slot = form.rules(row.demand() for row in rows), form.chosen_slot()
    team = None if owner.model else owner.team
    actions.set_policy(request.actor, slot=slot, rules=rules, team=team, model=owner.model, seen=seen)
    said = {"slot": slot, "owner": owner.name}
    messages.success(request, _("The policy of %(slot)s of %(owner)s is set.") % said)


def _summary(owner: Owner, form: PolicyForm, rows: list[GateForm]) -> dict[str, Any]:
    """The form in words, and who could approve; nothing while it is filled in wrong."""
    if not _all_valid(form, rows):
        return {"words": [], "gate_words": [], "approvers": []}
    rules = form.rules(row.demand() for row in rows)
    return _summary_of(owner, form.chosen_slot(), rules)


def _first_summary(owner: Owner, policy: Policy | None) -> dict[str, Any]:
    rules = Rules.from_policy(policy) if policy else _FRESH
    slot = policy.slot if policy else _FIRST
    return _summary_of(owner, slot, rules)


def _summary_of(owner: Owner, slot: Slot, rules: Rules) -> dict[str, Any]:
    scope = "model" if owner.model else "team" if owner.team else "site"
    named = Rules.from_json(rules.to_json() | {"scope": scope})
    return {
        "words": wording.words_of(named, slot, wording.Names.of(named)),
        "gate_words": [wording.gate_words(gate) for gate in named.gates],
        "approvers": policies.approvers(named, owner.reach, owner.model),
    }


def _initial(request: ActorRequest, owner: Owner, policy: Policy | None) -> dict[str, Any]:
    """The policy that there is; for a new one of a model what governs it now, so that one changes and types less."""
    slot = policy.slot if policy else _wanted_slot(request)
    governing = PolicyBook.load(owner.model).find(slot) if owner.model and not policy else policy
    rules = Rules.from_policy(governing) if governing else _FRESH
    key = slot_key(slot) if slot.is_stage else SlotKind.ALIAS.value
    return rules.to_json() | {"slot": key, "alias": "" if slot.is_stage else slot.name}


def _wanted_slot(request: ActorRequest) -> Slot:
    written = request.GET.get("slot", "")
    kind, _colon, name = written.partition(":")
    if kind == SlotKind.ALIAS:
        return Slot.alias(name[:MAX_ALIAS])
    return parse_slot(written, [Slot.stage(stage) for stage in ENTERED]) or _FIRST


def _owner(request: ActorRequest) -> Owner:
    team, model = request.GET.get("team", ""), request.GET.get("model", "")
    if "\x00" in team + model:
        raise NotFound("Not found.")
    if not team:
        return Owner()
    if model:
        found = access.get_model_in(request.actor, team, model)
        return Owner(None, found)
    return Owner(get_team(request.actor, team))


def _back(owner: Owner) -> str:
    if owner.model:
        return reverse("registry:model_policies", args=[owner.model.team.name, owner.model.name])
    return reverse("registry:policies")


def _crumbs(last: str) -> list[tuple[str, str]]:
    return [(_("Policies"), reverse("registry:policies")), (last, "")]
