"""Storing a call on SQLite: a constant number of statements in one immediate transaction, which has no rivals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from django.db import connection, transaction

from apps.experiments.hot import Reach
from apps.experiments.ingest import Batch, Stored, summarise

_RUN = """
    SELECT r.id FROM experiments_run r JOIN experiments_experiment e ON e.id = r.experiment_id
    WHERE r.run_id = %s AND r.deleted_ms IS NULL AND (%s OR e.team_id IN (SELECT value FROM json_each(%s)))
        AND e.id = coalesce(%s, e.id)
"""

# Said of all values of the batch, so a replay changes nothing but the count, which is mended where that happens.
_SERIES = """
    INSERT INTO experiments_series
        (run_id, key, last_value, last_is_nan, last_step, last_timestamp, min_value, max_value, count)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (run_id, key) DO UPDATE SET
        (last_value, last_is_nan, last_step, last_timestamp) = (
            SELECT iif(newer, excluded.last_value, last_value), iif(newer, excluded.last_is_nan, last_is_nan),
                iif(newer, excluded.last_step, last_step), iif(newer, excluded.last_timestamp, last_timestamp)
            FROM (SELECT (excluded.last_step, excluded.last_timestamp, excluded.last_value, excluded.last_is_nan)
                > (last_step, last_timestamp, last_value, last_is_nan) AS newer)),
        min_value = min(coalesce(min_value, excluded.min_value), coalesce(excluded.min_value, min_value)),
        max_value = max(coalesce(max_value, excluded.max_value), coalesce(excluded.max_value, max_value)),
        count = count + excluded.count
"""

_POINT = """
    INSERT OR IGNORE INTO experiments_point (series_id, step, timestamp, value, is_nan)
    VALUES ((SELECT id FROM experiments_series WHERE run_id = %s AND key = %s), %s, %s, %s, %s)
"""

_RECOUNT = """
    UPDATE experiments_series
    SET count = (SELECT count(*) FROM experiments_point p WHERE p.series_id = experiments_series.id)
    WHERE run_id = %s AND key IN (SELECT value FROM json_each(%s))
"""

_KEPT = "SELECT key, value FROM experiments_param WHERE run_id = %s AND key IN (SELECT value FROM json_each(%s))"
_PARAM = "INSERT OR IGNORE INTO experiments_param (run_id, key, value) VALUES (%s, %s, %s)"
_TAG = """
    INSERT INTO experiments_runtag (run_id, key, value) VALUES (%s, %s, %s)
    ON CONFLICT (run_id, key) DO UPDATE SET value = excluded.value
"""
_NAMED = """
    UPDATE experiments_run SET name = coalesce(%s, name), parent_run_id = coalesce(%s, parent_run_id) WHERE id = %s
"""


def store(run_id: str, batch: Batch, reach: Reach) -> Stored | None:
    """See `apps.experiments.ingest.store`."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_RUN, [run_id, reach.teams is None, _json(reach.teams or ()), reach.experiment_id])
        row = cursor.fetchone()
        if row is None:
            return None
        run_pk: int = row[0]
        clashes = _clashes(cursor, run_pk, batch)
        if not clashes:
            _write(cursor, run_pk, batch)
    return Stored(run_pk, clashes)


def _clashes(cursor: Any, run_pk: int, batch: Batch) -> dict[str, str]:
    if not batch.params:
        return {}
    cursor.execute(_KEPT, [run_pk, _json(list(batch.params))])
    return {key: old for key, old in cursor.fetchall() if batch.params[key] != old}


def _write(cursor: Any, run_pk: int, batch: Batch) -> None:
    if batch.values:
        _write_values(cursor, run_pk, batch)
    if batch.params:
        cursor.executemany(_PARAM, [(run_pk, *pair) for pair in batch.params.items()])
    if batch.tags:
        cursor.executemany(_TAG, [(run_pk, *pair) for pair in batch.tags.items()])
    if batch.run_name is not None or batch.parent_run_id is not None:
        cursor.execute(_NAMED, [batch.run_name, batch.parent_run_id, run_pk])


def _write_values(cursor: Any, run_pk: int, batch: Batch) -> None:
    series = summarise(batch.values)
    cursor.executemany(
        _SERIES,
        [
            (run_pk, key, last.value, last.is_nan, last.step, last.timestamp, least, greatest, count)
            for key, last, least, greatest, count in series
        ],
    )
    cursor.executemany(_POINT, [(run_pk, *value) for value in batch.values])
    if cursor.rowcount != len(batch.values):
        cursor.execute(_RECOUNT, [run_pk, _json([summary.key for summary in series])])


def _json(values: Sequence[Any]) -> str:
    return orjson.dumps(list(values)).decode()
