"""Breaking the glass: a move past the policy by those whom the policy lets, with a reason, marked and told."""

from __future__ import annotations

from apps.audit.actions import record
from apps.core.actor import Actor, Level
from apps.core.errors import Conflict, PermissionDenied
from apps.registry import access, events, telling
from apps.registry.actions.common import now_ms
from apps.registry.addresses import model_url
from apps.registry.deciding import administrators_of, is_one_of
from apps.registry.models import ModelVersion, Override, RegisteredModel
from apps.registry.policies import Rules
from apps.registry.stages import Slot
from apps.registry.subjects import version_subject


def require_direct(actor: Actor, model: RegisteredModel, slot: Slot, rules: Rules, reason: str) -> bool:
    """Raise unless the actor may move a version without a request; whether that goes past a policy.

    With a policy only those it names, with a reason (`Conflict` without one); else whoever holds the level.
    """
    if not rules.is_governed:
        _require_level(actor, model, slot, Level(rules.approver_level))
        return False
    if not is_one_of(actor, rules.override_by, model):
        raise PermissionDenied(f"Permission denied: {slot} of {model.name} is governed by a policy: {_way(model)}")
    if not reason:
        raise Conflict(
            f"{slot} of {model.name} is governed by a policy. You may go past it, with a reason in 'comment'; else "
            f"{_way(model)}",
            details={"reason": "reason_missing"},
        )
    return True


def note_override(actor: Actor, version: ModelVersion, slot: Slot, text: str, reason: str) -> Override:
    """Keep that somebody broke the glass, and tell administrators."""
    model = version.model
    override = Override.objects.create(
        team_id=model.team_id,
        model=model,
        model_name=model.name,
        number=version.number,
        slot_kind=slot.kind,
        slot_name=slot.name,
        text=text[:1000],
        reason=reason,
        made_by=actor.username,
        maker_id=actor.user_id,
        made_ms=now_ms(),
    )
    after = {"slot": str(slot), "reason": reason, "override": override.pk}
    record(actor, events.GLASS_BROKEN, version_subject(version), after=after, note=text)
    telling.tell_override(actor, model, override, administrators_of(model.team_id))
    return override


def _require_level(actor: Actor, model: RegisteredModel, slot: Slot, level: Level) -> None:
    if access.stage_level(actor, model) < level:
        raise PermissionDenied(
            f"Permission denied: {slot} of {model.name} wants the right '{level.word}' on the model. "
            f"Without it, {_way(model)}"
        )


def _way(model: RegisteredModel) -> str:
    return f"ask with POST transition-requests/create, or on {model_url(model)}."
