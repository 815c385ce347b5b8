"""A version beside the one whose place it is to take: metrics and parameters of their runs, in short.

The page that compares two versions shows all of it; this is what a reviewer looks at first.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core import formatting
from apps.core.actor import Actor
from apps.experiments.models import Param, Run, Series
from apps.registry.models import ModelVersion, Placement, RegisteredModel
from apps.registry.stages import Slot

_MOST_METRICS = 25
_MOST_NAMED = 5
# What the machine did is no merit of a model.
_SYSTEM = "system/"


@dataclass(frozen=True, slots=True)
class Pair:
    """A metric of both; `delta` is how much the new one is above, as text. None: that run has none."""

    key: str
    new: float | None
    old: float | None
    delta: str = ""


@dataclass
class Beside:
    """What was found. `changes` are sentences."""

    other: ModelVersion | None = None
    metrics: list[Pair] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)


def in_place(model: RegisteredModel, slot: Slot, *, without: int, at_ms: int | None = None) -> ModelVersion | None:
    """The version that came last into a slot among those in it now, or at a moment; `without` one. One statement.

    An alias called like a stage stands for it while it points at nothing.
    """
    found = Placement.objects.current() if at_ms is None else Placement.objects.at(at_ms)
    slots = slot.with_namesake
    places = found.filter(model=model, slot_name__in=[each.name for each in slots])
    places = places.exclude(version=None).exclude(version_id=without).select_related("version")
    rows = [row for row in places.order_by("-from_ms", "-pk")[:50] if row.slot in slots]
    rows.sort(key=lambda row: slots.index(row.slot))
    return rows[0].version if rows else None


def beside(actor: Actor, version: ModelVersion, other: ModelVersion | None, first: Collection[str] = ()) -> Beside:
    """`version` compared with `other`; metrics named in `first` come first. At most three statements.

    A run that the actor may not read shows nothing.
    """
    if other is None:
        return Beside()
    wanted = [key for key in (version.source_run_id, other.source_run_id) if key]
    readable = Run.objects.visible_to(actor).filter(pk__in=wanted).in_bulk()
    new, old = readable.get(version.source_run_id or 0), readable.get(other.source_run_id or 0)
    if new is None or old is None:
        return Beside(
            other, changes=[_("The runs behind them can't be compared: one has none, or you may not read it.")]
        )
    if new.pk == old.pk:
        return Beside(other, changes=[_("Both come from the same run.")])
    return Beside(other, _metrics(new, old, first), _params(new, old))


def _metrics(new: Run, old: Run, first: Collection[str]) -> list[Pair]:
    rows = Series.objects.filter(run__in=[new.pk, old.pk]).exclude(key__startswith=_SYSTEM).order_by("key")
    by_key: dict[str, dict[int, float]] = {}
    for run_id, key, value, is_nan in rows.values_list("run_id", "key", "last_value", "last_is_nan"):
        by_key.setdefault(key, {})[run_id] = float("nan") if is_nan else value
    keys = sorted(by_key, key=lambda key: (key not in first, len(by_key[key]) < 2, key))[:_MOST_METRICS]
    return [_pair(key, by_key[key].get(new.pk), by_key[key].get(old.pk)) for key in keys]


def _pair(key: str, new: float | None, old: float | None) -> Pair:
    if new is None or old is None or new != new or old != old:
        return Pair(key, new, old)
    sign = "+" if new > old else ""
    return Pair(key, new, old, f"{sign}{formatting.short_number(new - old)}" if new != old else "=")


def _params(new: Run, old: Run) -> list[str]:
    values: dict[str, dict[int, str]] = {}
    found = Param.objects.filter(run__in=[new.pk, old.pk]).order_by("key")
    for run_id, key, value in found.values_list("run_id", "key", "value"):
        values.setdefault(key, {})[run_id] = value
    differing = [key for key, both in values.items() if both.get(new.pk) != both.get(old.pk)]
    if not differing:
        return [_("Their runs have the same parameters.")]
    named = ", ".join(differing[:_MOST_NAMED]) + (", …" if len(differing) > _MOST_NAMED else "")
    count = len(differing)
    text = ngettext("%(n)s parameter differs: %(keys)s", "%(n)s parameters differ: %(keys)s", count)
    return [text % {"n": count, "keys": named}]
