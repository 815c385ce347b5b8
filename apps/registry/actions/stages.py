from __future__ import annotations

from django.db import transaction

from apps.core.actor import Actor
from apps.core.errors import InvalidInput
from apps.registry.actions.common import checked_comment, lock_version
from apps.registry.actions.moving import others_in, put_in_stage
from apps.registry.actions.overriding import note_override, require_direct
from apps.registry.actions.placing import Why
from apps.registry.models import ModelVersion
from apps.registry.policies import PolicyBook
from apps.registry.stages import ACTIVE, Slot, Stage
from apps.registry.uses import require_unused


def move_version(
    actor: Actor, *, version: ModelVersion, stage: str, archive_existing: bool = False, comment: str = ""
) -> ModelVersion:
    """Move a version at once. A stage that it is in already changes nothing; the version as it is now is returned.

    Raises `PermissionDenied` without the right, or where a policy governs either end and doesn't name the actor;
    `Conflict` where it does and a reason is missing, and for archiving what is deployed.
    """
    to = Stage.parse(stage)
    reason = checked_comment(comment)
    if archive_existing and to not in ACTIVE:
        raise _cannot_archive(stage)
    with transaction.atomic():
        fresh = lock_version(version)
        before = Stage(fresh.stage)
        if before is to and not (archive_existing and others_in(fresh, to)):
            return fresh
        if to is Stage.ARCHIVED:
            require_unused(fresh, "archived")
        slot = Slot.stage(to)
        rules = PolicyBook.load(fresh.model).rules(slot, Slot.stage(before))
        is_override = require_direct(actor, fresh.model, slot, rules, reason)
        put_in_stage(actor, fresh, to, Why(reason, is_override=is_override), archives=archive_existing)
        if is_override:
            note_override(actor, fresh, slot, f"moved version {fresh.number} from {before} to {to}", reason)
    return fresh


def _cannot_archive(stage: str) -> InvalidInput:
    """In the words of the protocol's server."""
    known = [stage.value for stage in ACTIVE]
    return InvalidInput(
        "Model version transition cannot archive existing model versions because "
        f"'{stage[:100]}' is not an Active stage. Valid stages are {known}"
    )
