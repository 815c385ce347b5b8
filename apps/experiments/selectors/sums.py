"""What there is of some runs, in sums: for saying whether all of a history came over, without reading it again."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from typing import NamedTuple

from django.db.models import Count, F, Max, Min, Q, Sum

from apps.experiments.models import Param, Point, Run, RunTag

# Times are summed by their rest: sums of whole ones of a long series would not fit into a column.
REST = 1_000_003


class Sums(NamedTuple):
    """Of the points of one series. `least` and `most` are of those that are numbers."""

    points: int
    nans: int
    steps: int
    times: int
    least: float | None
    most: float | None


SeriesKey = tuple[str, str]


def sums_of(points: Iterable[tuple[int, int, float, bool]]) -> Sums:
    """The sums of points that come one by one: step, timestamp, value, whether NaN."""
    count = nans = steps = times = 0
    least, most = math.inf, -math.inf
    for step, timestamp, value, is_nan in points:
        count += 1
        steps += step
        times += timestamp % REST
        if is_nan:
            nans += 1
        else:
            least = value if value < least else least
            most = value if value > most else most
    return Sums(count, nans, steps, times, *((least, most) if count > nans else (None, None)))


def series_sums(run_ids: Collection[str]) -> dict[SeriesKey, Sums]:
    """By run id and key. One statement."""
    found = Point.objects.filter(series__run__run_id__in=run_ids).order_by()
    grouped = found.values_list("series__run__run_id", "series__key").annotate(
        points=Count("step"),
        nans=Count("step", filter=Q(is_nan=True)),
        steps=Sum("step"),
        times=Sum(F("timestamp") % REST),
        least=Min("value", filter=Q(is_nan=False)),
        most=Max("value", filter=Q(is_nan=False)),
    )
    return {
        (run_id, key): Sums(points, nans, int(steps), int(times), least, most)
        for run_id, key, points, nans, steps, times, least, most in grouped
    }


def params_of(run_ids: Collection[str]) -> dict[str, dict[str, str]]:
    """Params by run id. One statement."""
    return _pairs(run_ids, Param.objects.filter(run__run_id__in=run_ids).values_list("run__run_id", "key", "value"))


def tags_of(run_ids: Collection[str]) -> dict[str, dict[str, str]]:
    """Tags by run id. One statement."""
    return _pairs(run_ids, RunTag.objects.filter(run__run_id__in=run_ids).values_list("run__run_id", "key", "value"))


def known_runs(run_ids: Collection[str]) -> dict[str, Run]:
    """Those of the runs that are there, by id, wherever they are. One statement."""
    return {run.run_id: run for run in Run.objects.filter(run_id__in=run_ids).select_related("experiment__team")}


def _pairs(run_ids: Collection[str], rows: Iterable[tuple[str, str, str]]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {run_id: {} for run_id in run_ids}
    for run_id, key, value in rows:
        found[run_id][key] = value
    return found
