"""The rounds of a request: what it demands, its gates, and how it begins anew when that changes."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from apps.audit.actions import record
from apps.core.actor import Actor
from apps.registry import events, facts, telling
from apps.registry.actions.common import lock_request, now_ms
from apps.registry.deciding import approvers_of
from apps.registry.models import GateResult, ModelVersion, PromotionRequest
from apps.registry.policies import PolicyBook, Rules
from apps.registry.stages import Slot
from apps.registry.subjects import version_subject

HOUR_MS = 3_600_000


def rules_now(book: PolicyBook, version: ModelVersion, slot: Slot, kind: str) -> Rules:
    """What it demands now that a version enter a slot, from where it is."""
    return book.rules(slot, Slot.stage(version.stage) if slot.is_stage else slot, kind)


def open_gates(request: PromotionRequest, rules: Rules) -> None:
    """Rows for the gates of the request's round, which a task judges after commit."""
    GateResult.objects.bulk_create(
        GateResult(request=request, round=request.round, place=place, kind=gate["kind"], params=gate.get("params", {}))
        for place, gate in enumerate(rules.gates)
    )
    if rules.gates:
        facts.judge_soon()


def refresh_rules(actor: Actor, request: PromotionRequest) -> bool:
    """Begin a new round where the request demands something else by now; whether it does."""
    version = request.version
    if not request.is_open or _are_as_kept(PolicyBook.load(version.model), request):
        return False
    with transaction.atomic():
        fresh = lock_request(request)
        book = PolicyBook.load(version.model)
        if not fresh.is_open or _are_as_kept(book, fresh):
            return False
        begin_round(actor, fresh, rules_now(book, fresh.version, fresh.slot, fresh.kind))
    return True


def refresh_moved(actor: Actor, versions: Collection[ModelVersion]) -> None:
    """Begin new rounds of what is open about versions that moved: from where they are now it may demand something else.

    The caller holds the lock of their model. One statement where nothing is open.
    """
    moved = {version.pk: version for version in versions}
    found = PromotionRequest.objects.open().select_for_update(of=("self",), no_key=True).filter(version__in=moved)
    requests = list(found.order_by("pk"))
    book = PolicyBook.load(moved[requests[0].version_id].model) if requests else None
    for request in requests:
        request.version = moved[request.version_id]
        if book and not _are_as_kept(book, request):
            begin_round(actor, request, rules_now(book, request.version, request.slot, request.kind))


def begin_round(actor: Actor, request: PromotionRequest, rules: Rules) -> None:
    """Let an open request that is locked begin anew: no approval counts any more, the gates wait."""
    now = now_ms()
    request.round, request.rules = request.round + 1, rules.to_json()
    request.expires_ms = expiry(rules, now)
    request.stale_ms = now if rules.gates else None
    request.from_stage = request.version.stage
    request.save(update_fields=["round", "rules", "expires_ms", "stale_ms", "from_stage"])
    open_gates(request, rules)
    after = {"request": request.pk, "round": request.round}
    record(actor, events.REQUEST_RESTARTED, version_subject(request.version), after=after, note=str(request.slot))
    telling.tell_restarted(actor, request, deciders(request))


def expiry(rules: Rules, now: int) -> int | None:
    """When a round that begins now runs out, in milliseconds since the epoch."""
    return now + rules.timeout_hours * HOUR_MS if rules.timeout_hours else None


def deciders(request: PromotionRequest) -> set[int]:
    """Who may approve, by their keys."""
    found: set[int] = set(approvers_of(request).order_by().values_list("pk", flat=True))
    return found


def counted(request: PromotionRequest) -> set[int]:
    """Whose approvals of this round count: those who could still give them now."""
    said = request.decisions.filter(round=request.round, approves=True, user__isnull=False).values("user_id")
    people: set[int] = set(approvers_of(request).filter(pk__in=said).order_by().values_list("pk", flat=True))
    return people


def _are_as_kept(book: PolicyBook, request: PromotionRequest) -> bool:
    rules = rules_now(book, request.version, request.slot, request.kind)
    return rules.demands_as(Rules.from_json(request.rules))
