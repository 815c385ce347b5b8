"""Reading the points of metrics: whole histories, pages of them, and samples over many runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import orjson
from django.db import connection

from apps.core.actor import Actor
from apps.core.mlflow.wire import show_double
from apps.experiments.models import Point, Run

# Rows that are in memory at once; longer histories are sent piece by piece.
CHUNK = 100_000


class Spot(NamedTuple):
    """One point, in the order of histories."""

    timestamp: int
    step: int
    value: float
    is_nan: bool

    def shown(self, key: str) -> dict[str, Any]:
        """As the protocol writes a metric."""
        value = show_double(self.value, self.is_nan)
        return {"key": key, "value": value, "timestamp": self.timestamp, "step": self.step}


_POINTS = """
    SELECT p.timestamp, p.step, p.value, p.is_nan FROM experiments_point p
    WHERE p.series_id = (SELECT id FROM experiments_series WHERE run_id = %s AND key = %s) {after}
    ORDER BY p.timestamp, p.step, p.value, p.is_nan LIMIT %s
"""
_AFTER = "AND (p.timestamp, p.step, p.value, p.is_nan) > (%s, %s, %s, %s)"

# The first of each of `most` even buckets, and the last point of all in the place of the last bucket's.
_SAMPLE = """
    SELECT run_pk, timestamp, step, value, is_nan FROM (
        SELECT *, row_number() OVER (PARTITION BY run_pk, bucket ORDER BY place) AS place_in_bucket FROM (
            SELECT s.run_id AS run_pk, p.timestamp, p.step, p.value, p.is_nan,
                ntile(%s) OVER w AS bucket, row_number() OVER w AS place,
                count(*) OVER (PARTITION BY p.series_id) AS total
            FROM experiments_series s JOIN experiments_point p ON p.series_id = s.id
            WHERE s.key = %s AND s.run_id IN ({runs}) {steps}
            WINDOW w AS (PARTITION BY p.series_id ORDER BY p.step, p.timestamp, p.value, p.is_nan)
        ) bucketed
    ) placed
    WHERE place = total OR (place_in_bucket = 1 AND (total <= %s OR bucket < %s))
    ORDER BY run_pk, place
"""


def points_of(run: Run, key: str, *, limit: int, after: Spot | None = None) -> list[Spot]:
    """The next points of a metric by (timestamp, step, value)."""
    sql = _POINTS.format(after=_AFTER if after else "")
    with connection.cursor() as cursor:
        cursor.execute(sql, [run.pk, key, *(after or ()), limit])
        return [Spot(*row) for row in cursor.fetchall()]


def json_of(points: Sequence[Spot], key: str) -> bytes:
    """A JSON list without its brackets."""
    return orjson.dumps([point.shown(key) for point in points])[1:-1]


def rest_of(run: Run, key: str, after: Spot) -> Iterator[bytes]:
    """The points behind `after`, as pieces of a JSON list."""
    while points := points_of(run, key, limit=CHUNK, after=after):
        yield b"," + json_of(points, key)
        after = points[-1]


def points_of_runs(actor: Actor, run_ids: Sequence[str], key: str, *, limit: int) -> list[dict[str, Any]]:
    """The first points of those runs that the actor sees, by run id, timestamp, step and value."""
    runs = Run.objects.visible_to(actor).filter(run_id__in=run_ids)
    rows = (
        Point.objects.filter(series__key=key, series__run__in=runs)
        .order_by("series__run__run_id", "timestamp", "step", "value", "is_nan")
        .values_list("series__run__run_id", "timestamp", "step", "value", "is_nan")[:limit]
    )
    return [{**Spot(*row[1:]).shown(key), "run_id": row[0]} for row in rows]


def sample_of_runs(
    actor: Actor, run_ids: Sequence[str], key: str, *, most: int, steps: tuple[int, int] | None = None
) -> list[dict[str, Any]]:
    """At most `most` evenly spread points of each run that the actor sees, in the order of `run_ids`."""
    visible = Run.objects.visible_to(actor).filter(run_id__in=run_ids).values_list("run_id", "pk")
    keys = dict(visible)
    if not keys:
        return []
    sampled: dict[int, list[Spot]] = {}
    for run_pk, *spot in _sampled_rows(list(keys.values()), key, most, steps):
        sampled.setdefault(run_pk, []).append(Spot(*spot))
    return [
        {**spot.shown(key), "run_id": run_id}
        for run_id in run_ids
        if run_id in keys
        for spot in sampled.get(keys[run_id], ())
    ]


def _sampled_rows(runs: list[int], key: str, most: int, steps: tuple[int, int] | None) -> list[tuple[Any, ...]]:
    sql = _SAMPLE.format(runs=", ".join(["%s"] * len(runs)), steps="AND p.step BETWEEN %s AND %s" if steps else "")
    with connection.cursor() as cursor:
        cursor.execute(sql, [most, key, *runs, *(steps or ()), most, most])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
