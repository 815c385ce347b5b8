"""The history of slots: one open row for each version while it is in a slot. Every path that moves one comes here."""

from __future__ import annotations

from dataclasses import dataclass, replace

from apps.core.actor import Actor
from apps.registry.actions.common import now_ms
from apps.registry.models import ModelVersion, Placement, PromotionRequest, RegisteredModel
from apps.registry.querysets import PlacementQuerySet
from apps.registry.stages import Slot, Stage


@dataclass(frozen=True, slots=True)
class Why:
    """On what ground a version moves; kept with its placement."""

    note: str = ""
    request: PromotionRequest | None = None
    is_rollback: bool = False
    is_override: bool = False

    def noted(self, note: str) -> Why:
        """The same ground in other words."""
        return replace(self, note=note)


def enter(actor: Actor, version: ModelVersion, slot: Slot, why: Why) -> Placement | None:
    """Open a row; None for the stage None, which has no history."""
    if slot == Slot.stage(Stage.NONE):
        return None
    model = version.model
    return Placement.objects.create(
        team_id=model.team_id,
        model=model,
        model_name=model.name,
        version=version,
        number=version.number,
        slot_kind=slot.kind,
        slot_name=slot.name,
        from_ms=now_ms(),
        entered_by=actor.username,
        entered_note=why.note,
        request=why.request,
        is_rollback=why.is_rollback,
        is_override=why.is_override,
    )


def leave(actor: Actor, version: ModelVersion, slot: Slot, note: str = "") -> None:
    """Close the row of a version that leaves a slot."""
    _close(actor, Placement.objects.filter(version=version, slot_kind=slot.kind, slot_name=slot.name), note)


def leave_all(actor: Actor, *, version: ModelVersion | None = None, model: RegisteredModel | None = None) -> None:
    """Close the rows of a version, or of all versions of a model, before it is deleted."""
    if version is not None:
        _close(actor, Placement.objects.filter(version=version), "The version was deleted.")
    if model is not None:
        _close(actor, Placement.objects.filter(model=model), "The model was deleted.")


def _close(actor: Actor, rows: PlacementQuerySet, note: str) -> None:
    rows.current().update(until_ms=now_ms(), left_by=actor.username, left_note=note)
