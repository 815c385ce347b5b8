"""The state machine of promotion requests. Each step locks model, request and version, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError, transaction

from apps.audit.actions import record
from apps.core.actor import Actor, Level
from apps.core.errors import AlreadyExists, Conflict, InvalidInput, PermissionDenied
from apps.registry import access, events, telling
from apps.registry.actions import gating
from apps.registry.actions.closing import close
from apps.registry.actions.common import checked_comment, lock_request, lock_version, now_ms
from apps.registry.actions.moving import is_in, put_in
from apps.registry.actions.placing import Why
from apps.registry.actions.rounds import counted, deciders, expiry, open_gates, refresh_rules, rules_now
from apps.registry.deciding import may_withdraw, owners_of, require_approver, require_not_own
from apps.registry.models import Decision, ModelVersion, PromotionRequest, RequestKind, RequestState
from apps.registry.names import check_alias
from apps.registry.policies import PolicyBook, Rules
from apps.registry.stages import ACTIVE, Slot, Stage
from apps.registry.subjects import version_subject

# Of one person and model.
MOST_OPEN = 100


def ask(
    actor: Actor,
    *,
    version: ModelVersion,
    slot: Slot,
    comment: str = "",
    kind: RequestKind = RequestKind.PROMOTION,
) -> PromotionRequest:
    """Ask that a version enter a slot.

    Raises `InvalidInput` where it is there already, `AlreadyExists` for a second open request of the same person, and
    `PermissionDenied` for less than the policy wants of who asks.
    """
    _check_slot(slot)
    comment = checked_comment(comment)
    try:
        with transaction.atomic():
            fresh = lock_version(version)
            if is_in(fresh, slot) and not (kind == RequestKind.ROLLBACK and slot.is_stage):
                raise InvalidInput(f"{fresh} is in {slot} already.")
            rules = rules_now(PolicyBook.load(fresh.model), fresh, slot, kind)
            access.require_to_ask(actor, fresh.model, Level(rules.ask_level))
            return _make(actor, fresh, slot, comment, kind, rules)
    except IntegrityError as error:
        raise AlreadyExists(f"You asked already that {version} enter {slot}; the request is open.") from error


def approve_request(
    actor: Actor,
    *,
    request: PromotionRequest,
    comment: str = "",
    round: int | None = None,
    archive_existing: bool | None = None,
) -> PromotionRequest:
    """Say yes. The last approval that is needed moves the version, in the same transaction.

    `round` is the one that the approver saw. `archive_existing` is asked only where no policy says it. Raises
    `PermissionDenied` for who isn't an approver; `Conflict` for a request that ended or began anew, a second word,
    one's own request, and while a gate is not passed (`details` names them). Nothing is stored then.
    """
    comment = checked_comment(comment)
    refresh_rules(actor, request)
    files = gating.read_ahead(request)
    try:
        with transaction.atomic():
            fresh = _open_for_decision(actor, request, round)
            rules = Rules.from_json(fresh.rules)
            require_not_own(actor, fresh, rules)
            _decide(actor, fresh, approves=True, comment=comment)
            seen = gating.told(fresh, gating.require_passed(fresh, files))
            _count(actor, fresh, rules, comment, archive_existing, seen)
    except gating.NotPassed:
        gating.look_again(request)
        raise
    return fresh


def reject_request(
    actor: Actor, *, request: PromotionRequest, comment: str = "", round: int | None = None
) -> PromotionRequest:
    """Say no, which ends the request. Raises as `approve_request` does, but one's own may be rejected."""
    comment = checked_comment(comment)
    refresh_rules(actor, request)
    with transaction.atomic():
        fresh = _open_for_decision(actor, request, round)
        _decide(actor, fresh, approves=False, comment=comment)
        close(actor, fresh, RequestState.REJECTED, events.REQUEST_REJECTED, note=comment)
        text = f"{actor.username} rejected that {telling.entering(fresh)}"
        telling.tell_closed(actor, fresh, text, "promotion_request.rejected", comment)
    return fresh


def cancel_request(actor: Actor, *, request: PromotionRequest, comment: str = "") -> PromotionRequest:
    """Take back what one asked for, or what a service account asked that one holds. Raises `Conflict` once it ended."""
    comment = checked_comment(comment)
    with transaction.atomic():
        fresh = lock_request(request)
        if not may_withdraw(actor, fresh):
            raise PermissionDenied(f"Permission denied: {fresh.requester_name} asked for this and may take it back.")
        _require_open(fresh)
        close(actor, fresh, RequestState.CANCELLED, events.REQUEST_CANCELLED, note=comment)
        text = f"{actor.username} took back the request that {telling.entering(fresh)}"
        telling.tell_closed(actor, fresh, text, "promotion_request.cancelled", comment)
    return fresh


def expire_requests(actor: Actor, *, limit: int = 100) -> int:
    """End the open requests whose time is over; how many. Each in a transaction of its own."""
    over = PromotionRequest.objects.open().filter(expires_ms__lte=now_ms()).order_by("expires_ms")
    found = list(over.select_related("version__model__team")[:limit])
    return sum(_expire(actor, request) for request in found)


def _expire(actor: Actor, request: PromotionRequest) -> bool:
    with transaction.atomic():
        fresh = lock_request(request)
        if not fresh.is_open or fresh.expires_ms is None or fresh.expires_ms > now_ms():
            return False
        close(actor, fresh, RequestState.EXPIRED, events.REQUEST_EXPIRED, note="Its time was over.")
        text = f"The request that {telling.entering(fresh)} ran out undecided"
        telling.tell_closed(actor, fresh, text, "promotion_request.expired")
    return True


def _make(
    actor: Actor, version: ModelVersion, slot: Slot, comment: str, kind: RequestKind, rules: Rules
) -> PromotionRequest:
    _require_room(actor, version)
    now = now_ms()
    request = PromotionRequest(
        version=version,
        kind=kind,
        slot_kind=slot.kind,
        slot_name=slot.name,
        from_stage=version.stage,
        requester_id=actor.user_id,
        requester_name=actor.username,
        comment=comment,
        rules=rules.to_json(),
        created_ms=now,
        expires_ms=expiry(rules, now),
        stale_ms=now if rules.gates else None,
    )
    request.owners = sorted(owners_of(request))
    request.save(force_insert=True)
    open_gates(request, rules)
    after = {"request": request.pk, "kind": kind.value, "comment": comment}
    record(actor, events.REQUEST_MADE, version_subject(version), after=after, note=str(slot))
    telling.tell_asked(actor, request, deciders(request))
    return request


def _open_for_decision(actor: Actor, request: PromotionRequest, round: int | None) -> PromotionRequest:
    """The request, locked, open, of the round that was seen, with rules that are those of now."""
    fresh = lock_request(request)
    require_approver(actor, fresh, Rules.from_json(fresh.rules))
    _require_open(fresh)
    if fresh.expires_ms is not None and fresh.expires_ms <= now_ms():
        raise Conflict("The time of this request is over.", details={"state": RequestState.EXPIRED.value})
    if round is not None and round != fresh.round:
        raise _begun_anew(fresh)
    rules = rules_now(PolicyBook.load(fresh.version.model), fresh.version, fresh.slot, fresh.kind)
    if not rules.demands_as(Rules.from_json(fresh.rules)):
        raise _begun_anew(fresh)
    return fresh


def _begun_anew(request: PromotionRequest) -> Conflict:
    return Conflict(
        "A new round began, since what the slot demands changed. Look at the request again.",
        details={"reason": "new_round", "round": request.round},
    )


def _require_open(request: PromotionRequest) -> None:
    if not request.is_open:
        raise Conflict(f"This request has ended: it is {request.state}.", details={"state": request.state})


def _decide(actor: Actor, request: PromotionRequest, *, approves: bool, comment: str) -> None:
    if request.decisions.filter(round=request.round, user_id=actor.user_id or 0).exists():
        raise Conflict("You have given your word on this request already.", details={"reason": "second_word"})
    Decision.objects.create(
        request=request,
        round=request.round,
        user_id=actor.user_id,
        user_name=actor.username,
        approves=approves,
        comment=comment,
        created_ms=now_ms(),
    )


def _count(
    actor: Actor, request: PromotionRequest, rules: Rules, comment: str, archive: bool | None, seen: Sequence[str]
) -> None:
    """Apply the request where this approval was the last that it needed; `seen`: what the gates said, for the event."""
    count = len(counted(request))
    after = {"request": request.pk, "round": request.round, "comment": comment, "count": f"{count}/{rules.approvals}"}
    after |= {"gates": seen} if seen else {}
    record(actor, events.REQUEST_APPROVED, version_subject(request.version), after=after, note=str(request.slot))
    if count < rules.approvals:
        telling.tell_approved(actor, request, comment, count, rules.approvals)
        return
    close(actor, request, RequestState.APPLIED, events.REQUEST_APPLIED)
    text = f"{actor.username} approved that {telling.entering(request)}, and it did"
    telling.tell_closed(actor, request, text, "promotion_request.approved", comment)
    why = Why(request.comment, request=request, is_rollback=request.kind == RequestKind.ROLLBACK)
    put_in(actor, request.version, request.slot, why, archives=_archives(request, rules, archive))


def _archives(request: PromotionRequest, rules: Rules, archive: bool | None) -> bool:
    if not request.slot.is_stage or Stage(request.slot_name) not in ACTIVE:
        return False
    if request.kind == RequestKind.ROLLBACK:
        return True
    return rules.archives_previous if rules.is_governed else bool(archive)


def _require_room(actor: Actor, version: ModelVersion) -> None:
    """Readers may ask, for any alias: nobody fills the inboxes of those who decide."""
    mine = PromotionRequest.objects.open().filter(version__model=version.model_id, requester=actor.user_id)
    if mine.count() >= MOST_OPEN:
        raise Conflict(f"{MOST_OPEN} requests of yours about {version.model.name} are open; wait, or take some back.")


def _check_slot(slot: Slot) -> None:
    if slot.is_stage:
        Stage.parse(slot.name)
    else:
        check_alias(slot.name)
