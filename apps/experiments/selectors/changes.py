"""What changed in a run since an open page last looked: a constant number of statements, whatever was logged."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import Q

from apps.experiments.models import Point, Run, Series
from apps.experiments.selectors.charts import head_as_json, thinned

MAX_WATCHED = 48
_MAX_NEW_POINTS = 5_000
_POINTS_OF_A_LINE = 500

Place = tuple[int, int]  # (step, timestamp)


@dataclass
class Seen:
    """What one page has: the counts of all series, and where the lines that it draws end."""

    counts: dict[str, int] = field(default_factory=dict)
    lines: dict[str, Place] = field(default_factory=dict)
    status: tuple[Any, ...] = ()


def watch(seen: Seen, ends: Mapping[str, Place]) -> None:
    """The page draws these lines now, each up to its place."""
    lines = {}
    for key, place in list(ends.items())[:MAX_WATCHED]:
        known = seen.lines.get(key)
        if known is None:
            # What came between the page's fetch and this word has to be sent.
            seen.counts.pop(key, None)
        # The page's word may be older than what was sent since.
        lines[key] = place if known is None else max(place, known)
    seen.lines = lines


def changes_of(run: Run, parts: Collection[str], seen: Seen) -> dict[str, Any]:
    """The news for a page, empty where there is none; moves `seen` on. At most two statements."""
    news: dict[str, Any] = {}
    status = (run.status, run.end_ms, run.name, run.deleted_ms)
    if status != seen.status:
        seen.status = status
        news["run"] = {"status": run.status, "start_ms": run.start_ms, "end_ms": run.end_ms, "name": run.name}
    if "metrics" in parts:
        news |= _metrics(run, seen)
    changed = sorted(set(parts) & {"params", "tags", "artifacts", "datasets"})
    if changed:
        news["changed"] = changed
    return news


def _metrics(run: Run, seen: Seen) -> dict[str, Any]:
    series = {one.key: one for one in Series.objects.filter(run=run)}
    moved = {key: one for key, one in series.items() if seen.counts.get(key) != one.count}
    if not moved:
        return {}
    drawn = {key: one for key, one in moved.items() if key in seen.lines}
    lines, stale = _new_points(drawn, seen) if drawn else ({}, [])
    seen.counts = {key: one.count for key, one in series.items()}
    heads = {key: head_as_json(one) for key, one in moved.items()}
    return {"metrics": heads, "lines": lines, "stale": stale}


def _new_points(drawn: dict[str, Series], seen: Seen) -> tuple[dict[str, Any], list[str]]:
    """Points after each line's end, and the keys whose line has to be fetched again: too much, or out of order."""
    after = Q()
    for key, one in drawn.items():
        step, timestamp = seen.lines[key]
        after |= Q(series_id=one.pk) & (Q(step__gt=step) | Q(step=step, timestamp__gt=timestamp))
    fields = ("series_id", "step", "timestamp", "value", "is_nan")
    rows = list(Point.objects.filter(after).order_by(*fields[:3]).values_list(*fields)[: _MAX_NEW_POINTS + 1])
    if len(rows) > _MAX_NEW_POINTS:
        return {}, sorted(drawn)
    by_series = {pk: list(group) for pk, group in groupby(rows, key=itemgetter(0))}
    lines, stale = {}, []
    for key, one in drawn.items():
        new = by_series.get(one.pk, [])
        grown = one.count - seen.counts.get(key, one.count - len(new))
        if grown > len(new):
            stale.append(key)
        if new:
            line = thinned(one, new, _POINTS_OF_A_LINE)
            lines[key] = {"steps": line.steps, "times": line.times, "values": line.values}
            seen.lines[key] = (new[-1][1], new[-1][2])
    return lines, stale
