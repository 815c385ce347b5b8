from __future__ import annotations

from django.db import transaction

from apps.core.actor import Actor
from apps.registry.actions.common import checked_comment, lock_model, lock_version
from apps.registry.actions.moving import is_in, point_alias, remove_alias
from apps.registry.actions.overriding import note_override, require_direct
from apps.registry.actions.placing import Why
from apps.registry.models import Alias, ModelVersion, RegisteredModel
from apps.registry.names import check_alias
from apps.registry.policies import PolicyBook
from apps.registry.stages import Slot


def set_alias(actor: Actor, *, model: RegisteredModel, alias: str, version: ModelVersion, reason: str = "") -> None:
    """Let an alias point at a version of the model at once. Where it does already, nothing changes.

    Raises `InvalidInput` for a name that no alias may have, `PermissionDenied` without the right or where a policy
    protects the alias, `Conflict` where the actor may go past it and gave no reason.
    """
    check_alias(alias)
    reason = checked_comment(reason, "reason")
    slot = Slot.alias(alias)
    with transaction.atomic():
        fresh = lock_version(version)
        if is_in(fresh, slot):
            return
        rules = PolicyBook.load(model).rules(slot, slot)
        is_override = require_direct(actor, model, slot, rules, reason)
        point_alias(actor, fresh, alias, Why(reason, is_override=is_override))
        if is_override:
            note_override(actor, fresh, slot, f"let @{alias} point at version {fresh.number}", reason)


def delete_alias(actor: Actor, *, model: RegisteredModel, alias: str, reason: str = "") -> None:
    """Remove an alias. One that isn't there is removed already, as in the protocol. Raises as `set_alias` does."""
    check_alias(alias)
    reason = checked_comment(reason, "reason")
    slot = Slot.alias(alias)
    with transaction.atomic():
        lock_model(model)
        held = Alias.objects.filter(model=model, name=alias).select_related("version").first()
        if held is None:
            return
        held.version.model = model
        rules = PolicyBook.load(model).rules(None, slot)
        is_override = require_direct(actor, model, slot, rules, reason)
        remove_alias(actor, model, held, Why(reason, is_override=is_override))
        if is_override:
            note_override(actor, held.version, slot, f"removed @{alias} of version {held.version.number}", reason)
