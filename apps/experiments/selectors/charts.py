"""Lines of metrics, thinned on the server: a browser never gets the raw history.

However many runs and keys are asked for, the points are one statement. Where that would be more rows than a page may
cost, the database keeps the envelope (the extremes of each of many slices) and only that is read.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Literal

import numpy as np
from django.db.models import Count, F, Max, Min, Q
from tsdownsample import MinMaxLTTBDownsampler

from apps.experiments.models import Point, Run, Series

MAX_POINTS = 2000
MAX_LINES = 200
# Beyond so many rows the database thins them first.
_RAW_ROWS = 25_000
_MAX_GAPS = 200
_LARGEST = sys.float_info.max

Axis = Literal["step", "time"]
Row = tuple[int, int, int, float, bool]  # series, step, timestamp, value, is_nan


@dataclass(frozen=True, slots=True)
class Line:
    """A thinned series: `values` has None where the metric was not a finite number. Times are milliseconds."""

    series: Series
    steps: list[int]
    times: list[int]
    values: list[float | None]


def lines_of(runs: Iterable[Run], keys: Sequence[str], *, points: int, axis: Axis = "step") -> list[Line]:
    """Each key of each run as at most about `points` points: two statements. `runs` have been authorised."""
    by_id = {run.pk: run for run in runs}
    wanted = Series.objects.filter(run_id__in=list(by_id), key__in=keys).order_by("key", "run_id")[:MAX_LINES]
    series = {one.pk: one for one in wanted}
    for one in series.values():
        one.run = by_id[one.run_id]
    rows = _rows(series, points, axis)
    return [thinned(series[pk], list(group), points, axis) for pk, group in groupby(rows, key=itemgetter(0))]


def thinned(series: Series, rows: Sequence[Row], points: int, axis: Axis = "step") -> Line:
    """Ordered rows of one series as a line; its highs and lows stay, and so do its gaps."""
    steps = np.array([row[1] for row in rows], dtype=np.int64)
    times = np.array([row[2] for row in rows], dtype=np.int64)
    values = np.array([_plotted(row) for row in rows], dtype=np.float64)
    kept = _kept(times if axis == "time" else steps, values, points)
    shown = [None if np.isnan(value) else float(value) for value in values[kept]]
    return Line(series, steps[kept].tolist(), times[kept].tolist(), shown)


def line_as_json(line: Line) -> dict[str, Any]:
    """A line as pages take it. Needs `series.run`."""
    return {
        "run_id": line.series.run.run_id,
        "run_name": line.series.run.name,
        "start_ms": line.series.run.start_ms,
        "key": line.series.key,
        "steps": line.steps,
        "times": line.times,
        "values": line.values,
        **head_as_json(line.series),
    }


def head_as_json(series: Series) -> dict[str, Any]:
    """What a chart's header shows, and where its line ends: latest, extremes, count."""
    return {
        "last": None if series.last_is_nan else series.last_value,
        "last_step": series.last_step,
        "last_time": series.last_timestamp,
        "min": series.min_value,
        "max": series.max_value,
        "count": series.count,
    }


def _rows(series: dict[int, Series], points: int, axis: Axis) -> Iterable[Row]:
    if sum(one.count for one in series.values()) > _RAW_ROWS:
        return _envelope(series, points, axis)
    fields = ("series_id", "step", "timestamp", "value", "is_nan")
    order = ("series_id", "timestamp", "step") if axis == "time" else ("series_id", "step", "timestamp")
    return Point.objects.filter(series_id__in=list(series)).order_by(*order).values_list(*fields)


def _envelope(series: dict[int, Series], points: int, axis: Axis) -> list[Row]:
    """The lowest and the highest value of each slice of the axis, all series cut alike."""
    column = "timestamp" if axis == "time" else "step"
    found = Point.objects.filter(series_id__in=list(series))
    ends = found.aggregate(first=Min(column), last=Max(column))
    width = max(1, (ends["last"] - ends["first"]) // max(1, points) + 1)
    slices = (
        found.annotate(slice=(F(column) - ends["first"]) / width)
        .values("series_id", "slice")
        .annotate(
            s0=Min("step"), s1=Max("step"), t0=Min("timestamp"), t1=Max("timestamp"),
            low=Min("value", filter=Q(is_nan=False)), high=Max("value", filter=Q(is_nan=False)), rows=Count("step"),
        )
        .order_by("series_id", "slice")
    )  # fmt: skip
    rows: list[Row] = []
    for cut in slices:
        gap = cut["low"] is None
        rows.append((cut["series_id"], cut["s0"], cut["t0"], cut["low"] or 0.0, gap))
        if cut["rows"] > 1:
            rows.append((cut["series_id"], cut["s1"], cut["t1"], cut["high"] or 0.0, gap))
    return rows


def _plotted(row: Row) -> float:
    """NaN for what has no place on an axis: not a number, and infinities (kept as the largest double)."""
    return float("nan") if row[4] or abs(row[3]) >= _LARGEST else row[3]


def _kept(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], points: int) -> np.ndarray[Any, Any]:
    if len(y) <= points:
        return np.arange(len(y))
    finite = np.flatnonzero(~np.isnan(y))
    gaps = np.flatnonzero(np.isnan(y))[:_MAX_GAPS]
    if len(finite) > points:
        # Counted from the first: a double holds neither large steps nor times next to each other.
        away = (x[finite] - x[finite[0]]).astype(np.float64)
        thin: Any = MinMaxLTTBDownsampler()  # type: ignore[no-untyped-call]
        finite = finite[thin.downsample(away, y[finite], n_out=max(3, points)).astype(np.int64)]
    return np.sort(np.concatenate([finite, gaps]))
