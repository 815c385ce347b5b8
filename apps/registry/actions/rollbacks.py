from __future__ import annotations

from django.db import transaction

from apps.core.actor import Actor
from apps.core.errors import Conflict, InvalidInput
from apps.registry.actions.common import checked_comment, lock_model, lock_version
from apps.registry.actions.moving import put_in
from apps.registry.actions.placing import Why
from apps.registry.actions.requests import ask
from apps.registry.actions.rounds import rules_now
from apps.registry.deciding import goes_back_at_once
from apps.registry.models import ModelVersion, Placement, PromotionRequest, RegisteredModel, RequestKind
from apps.registry.policies import PolicyBook
from apps.registry.selectors.history import previous
from apps.registry.stages import ACTIVE, Slot, Stage


def roll_back(
    actor: Actor, *, model: RegisteredModel, slot: Slot, reason: str, to: int | None = None
) -> PromotionRequest | Placement:
    """Let what was in a slot before be there again: at once for those whom the policy lets, else as a request.

    `to` is the number that the caller expects to come back. Raises `Conflict` where there is nothing to go back to or
    it is another version, `InvalidInput` without a reason.
    """
    reason = checked_comment(reason, "reason", required=True)
    if slot.is_stage and Stage.parse(slot.name) not in ACTIVE:
        raise InvalidInput("Going back is for Production, Staging and aliases.")
    with transaction.atomic():
        lock_model(model)
        version = _what_comes_back(model, slot, to)
        rules = rules_now(PolicyBook.load(model), version, slot, RequestKind.ROLLBACK)
        if not goes_back_at_once(actor, rules, model):
            return ask(actor, version=version, slot=slot, comment=reason, kind=RequestKind.ROLLBACK)
        placement = put_in(actor, version, slot, Why(reason, is_rollback=True), archives=True)
        return placement or _standing(version, slot)


def _what_comes_back(model: RegisteredModel, slot: Slot, to: int | None) -> ModelVersion:
    before = previous(model, slot)
    if before is None or before.version is None:
        raise Conflict(f"Nothing was in {slot} of {model.name} before, so there is nothing to go back to.")
    if to is not None and before.number != to:
        raise Conflict(
            f"Going back would bring version {before.number} to {slot}, not version {to}. Look again.",
            details={"reason": "another_version", "version": before.number},
        )
    before.version.model = model
    return lock_version(before.version)


def _standing(version: ModelVersion, slot: Slot) -> Placement:
    """The placement of a version that was there all the while; only others left."""
    current = Placement.objects.current().filter(version=version, slot_kind=slot.kind, slot_name=slot.name)
    return current.latest("pk")
