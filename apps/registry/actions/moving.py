"""How a version comes into a slot, once it is settled that it may: the rows, the history, the events, the news.

The caller holds the lock of the model (`common.lock_model`), has checked the right, and owns the transaction.
"""

from __future__ import annotations

from typing import Any

from apps.audit.actions import record
from apps.core.actor import Actor
from apps.registry import events, telling
from apps.registry.actions import placing
from apps.registry.actions.closing import overtake
from apps.registry.actions.common import now_ms
from apps.registry.actions.placing import Why
from apps.registry.actions.rounds import refresh_moved
from apps.registry.models import Alias, ModelVersion, Placement, RegisteredModel
from apps.registry.stages import Slot, Stage
from apps.registry.subjects import model_subject, version_subject


def put_in(actor: Actor, version: ModelVersion, slot: Slot, why: Why, *, archives: bool) -> Placement | None:
    """Let a version enter a slot; `archives` sends the others of a stage to Archived. The placement that began."""
    if slot.is_stage:
        return put_in_stage(actor, version, Stage(slot.name), why, archives=archives)
    return point_alias(actor, version, slot.name, why)


def put_in_stage(
    actor: Actor, version: ModelVersion, stage: Stage, why: Why, *, archives: bool = False
) -> Placement | None:
    """Move a version to a stage. Already there, it stays; then only others may be archived."""
    archived = archive_others(actor, version, stage, why) if archives else []
    if version.stage == stage:
        refresh_moved(actor, archived)
        return None
    before = version.stage
    _set_stage(version, stage)
    RegisteredModel.objects.filter(pk=version.model_id).update(updated_ms=version.updated_ms)
    placing.leave(actor, version, Slot.stage(before), why.note)
    placement = placing.enter(actor, version, Slot.stage(stage), why)
    note = f"from {before} to {stage}"
    after = {"stage": stage.value, "comment": why.note} | _ground(why)
    record(actor, events.VERSION_MOVED, version_subject(version), before={"stage": before}, after=after, note=note)
    telling.tell_move(actor, version, before, why.note, why.request)
    overtake(actor, version, Slot.stage(stage), by=why.request)
    refresh_moved(actor, [version, *archived])
    return placement


def others_in(version: ModelVersion, stage: Stage) -> list[ModelVersion]:
    """The other versions of the model in a stage; the caller holds the model's lock."""
    found = ModelVersion.objects.filter(model=version.model, stage=stage.value).exclude(pk=version.pk)
    others = list(found.order_by("number"))
    for other in others:
        other.model = version.model
    return others


def archive_others(actor: Actor, version: ModelVersion, stage: Stage, why: Why) -> list[ModelVersion]:
    """Send the other versions of a stage to Archived, each with its event."""
    others = others_in(version, stage)
    for other in others:
        _set_stage(other, Stage.ARCHIVED)
        note = f"Version {version.number} took its place."
        placing.leave(actor, other, Slot.stage(stage), note)
        placing.enter(actor, other, Slot.stage(Stage.ARCHIVED), Why(note, request=why.request))
        change = {"before": {"stage": stage.value}, "after": {"stage": Stage.ARCHIVED.value}}
        subject = version_subject(other)
        record(actor, events.VERSION_ARCHIVED, subject, before=change["before"], after=change["after"], note=note)
        telling.tell_move(actor, other, stage.value, note)
    return others


def point_alias(actor: Actor, version: ModelVersion, alias: str, why: Why) -> Placement | None:
    """Let an alias point at a version, wherever it pointed before."""
    model, slot = version.model, Slot.alias(alias)
    held = Alias.objects.filter(model=model, name=alias).select_related("version").first()
    if held is not None and held.version_id == version.pk:
        return None
    if held is not None:
        placing.leave(actor, held.version, slot, why.note)
    Alias.objects.update_or_create(model=model, name=alias, defaults={"version": version})
    placement = placing.enter(actor, version, slot, why)
    before = {"version": held.version.number} if held else None
    after = {"version": version.number, "reason": why.note} | _ground(why)
    record(actor, events.ALIAS_SET, version_subject(version), before=before, after=after, note=alias)
    telling.tell_alias(actor, version, alias, why.note)
    overtake(actor, version, slot, by=why.request)
    return placement


def remove_alias(actor: Actor, model: RegisteredModel, held: Alias, why: Why) -> None:
    """Let an alias be gone; `held` was fetched with its version."""
    placing.leave(actor, held.version, Slot.alias(held.name), why.note)
    held.delete()
    before = {"version": held.version.number}
    after = {"reason": why.note}
    record(actor, events.ALIAS_DELETED, model_subject(model), before=before, after=after, note=held.name)
    telling.tell_no_alias(actor, model, held.name, why.note)


def is_in(version: ModelVersion, slot: Slot) -> bool:
    """Whether a version, freshly locked, is in a slot."""
    if slot.is_stage:
        return version.stage == slot.name
    return Alias.objects.filter(model_id=version.model_id, name=slot.name, version=version).exists()


def _set_stage(version: ModelVersion, stage: Stage) -> None:
    version.stage, version.updated_ms = stage.value, now_ms()
    version.save(update_fields=["stage", "updated_ms"])


def _ground(why: Why) -> dict[str, Any]:
    return ({"request": why.request.pk} if why.request else {}) | ({"rollback": True} if why.is_rollback else {})
