"""What was in a slot, when, by whom and why."""

from __future__ import annotations

from django.db.models import Q, QuerySet, Subquery

from apps.accounts.models import Team
from apps.core.actor import Actor
from apps.registry.models import Placement, RegisteredModel
from apps.registry.querysets import PlacementQuerySet
from apps.registry.stages import Slot

# Rows that going back looks through; who moved more often than that names the version.
_LOOK_BACK = 500
_IN_PLACE_SHOWN = 200


def placements_of(actor: Actor, model: RegisteredModel, slot: Slot | None = None) -> QuerySet[Placement]:
    """The intervals of a model that was fetched, newest first; of one slot where it is given."""
    found = Placement.objects.visible_to(actor).filter(model=model)
    found = found.filter(slot_kind=slot.kind, slot_name=slot.name) if slot else found
    return found.order_by("-from_ms", "-pk")


def in_place_at(actor: Actor, model: RegisteredModel, moment_ms: int, until_ms: int | None = None) -> list[Placement]:
    """What was in each slot at a moment (milliseconds since the epoch), or at any moment between it and `until_ms`.

    Slot by slot, of each the version that entered last first. One statement; no more than a page shows.
    """
    visible: PlacementQuerySet = Placement.objects.visible_to(actor)
    found = visible.filter(model=model).at(moment_ms, until_ms).select_related("request").order_by("-from_ms", "-pk")
    return sorted(found[:_IN_PLACE_SHOWN], key=lambda row: row.slot.weight)


def of_name(
    actor: Actor,
    team: str,
    name: str,
    slot: Slot | None = None,
    at_ms: int | None = None,
    until_ms: int | None = None,
) -> QuerySet[Placement]:
    """The same by a name, of now or of then: also of models that were deleted or renamed.

    `at_ms` alone: what was there at that moment; with `until_ms`: at any moment between the two.
    """
    # As keys, so that both ways go by an index.
    of_team = Subquery(Team.objects.filter(name=team).values("pk")[:1])
    of_model = Subquery(RegisteredModel.objects.filter(team__name=team, name=name).values("pk")[:1])
    named = Q(team_id=of_team, model_name=name) | Q(model_id=of_model)
    visible: PlacementQuerySet = Placement.objects.visible_to(actor)
    found = visible.filter(named).select_related("team")
    found = found.filter(slot_kind=slot.kind, slot_name=slot.name) if slot else found
    found = found if at_ms is None else found.at(at_ms, until_ms)
    return found.order_by("-from_ms", "-pk")


def used_slots(model: RegisteredModel) -> list[Slot]:
    """The slots that the model's versions were ever in, stages first. One statement."""
    rows = Placement.objects.filter(model=model).order_by().values("slot_kind", "slot_name").distinct()
    slots = [Placement(**row).slot for row in rows]
    return sorted(slots, key=lambda slot: (not slot.is_stage, slot.name))


def previous(model: RegisteredModel, slot: Slot) -> Placement | None:
    """What comes back when a slot is rolled back, with its version; None: nothing was there before.

    It is what was there before the version that is there now came for the first time in a row of rollbacks: going back
    twice goes two versions back, and never forth again. One statement.
    """
    rows = Placement.objects.filter(model=model, slot_kind=slot.kind, slot_name=slot.name, version__isnull=False)
    found = list(rows.select_related("version").order_by("-from_ms", "-pk")[:_LOOK_BACK])
    now = next((place for place, row in enumerate(found) if row.until_ms is None), None)
    if now is None:
        return found[0] if found else None
    came = _first_came(found, now)
    return next((row for row in found[came + 1 :] if row.version_id != found[now].version_id), None)


def _first_came(rows: list[Placement], now: int) -> int:
    """The place of the row by which the version that is there now came, not by going back."""
    mine = (place for place in range(now, len(rows)) if rows[place].version_id == rows[now].version_id)
    return next((place for place in mine if not rows[place].is_rollback), now)
