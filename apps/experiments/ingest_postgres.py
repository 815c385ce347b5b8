"""The one statement that stores a call on PostgreSQL.

Rows are locked in one order (series by key, then params, tags, the run; each by key), so that calls over the same
keys wait for each other and never deadlock. Series that exist are locked before anything is inserted; a series or
param that somebody else makes in this instant is not visible to the statement, which then fails as a whole
(division by zero, on purpose: it is the only error a plain statement can raise) and is sent again.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from django.db import DataError

from apps.experiments import hot
from apps.experiments.hot import Reach
from apps.experiments.ingest import Batch, Raced, Stored, summarise

_RUN = """
run AS MATERIALIZED (
    SELECT r.id FROM experiments_run r JOIN experiments_experiment e ON e.id = r.experiment_id
    WHERE r.run_id = %(run_id)s AND r.deleted_ms IS NULL AND (%(anywhere)s OR e.team_id = ANY(%(teams)s::bigint[]))
        AND (%(only)s::bigint IS NULL OR e.id = %(only)s::bigint))
"""

_NO_CLASH = """,
target AS MATERIALIZED (SELECT id FROM run)
"""

_CLASH = """,
param AS MATERIALIZED (
    SELECT * FROM unnest(%(param_keys)s::text[], %(param_values)s::text[]) AS t (key, value)),
kept AS MATERIALIZED (
    SELECT p.key, p.value FROM run JOIN experiments_param p ON p.run_id = run.id
    WHERE p.key = ANY(%(param_keys)s::text[])),
clash AS MATERIALIZED (
    SELECT key, kept.value FROM kept JOIN param USING (key) WHERE kept.value <> param.value),
target AS MATERIALIZED (SELECT id FROM run WHERE NOT EXISTS (SELECT FROM clash))
"""

_METRICS = """,
batch AS MATERIALIZED (
    SELECT * FROM unnest(%(keys)s::text[], %(last_values)s::float8[], %(last_nans)s::bool[], %(last_steps)s::bigint[],
        %(last_timestamps)s::bigint[], %(mins)s::float8[], %(maxs)s::float8[], %(counts)s::bigint[])
        WITH ORDINALITY
        AS t (key, last_value, last_is_nan, last_step, last_timestamp, min_value, max_value, count, place)),
known AS MATERIALIZED (
    SELECT s.id, s.key FROM experiments_series s
    WHERE s.run_id = (SELECT id FROM target) AND s.key = ANY(%(keys)s::text[])
    ORDER BY s.key FOR NO KEY UPDATE),
made AS (
    INSERT INTO experiments_series
        (run_id, key, last_value, last_is_nan, last_step, last_timestamp, min_value, max_value, count)
    SELECT target.id, key, last_value, last_is_nan, last_step, last_timestamp, min_value, max_value, count
    FROM target, batch WHERE key NOT IN (SELECT key FROM known) ORDER BY key
    ON CONFLICT (run_id, key) DO NOTHING
    RETURNING id, key),
written AS (
    INSERT INTO experiments_point (series_id, step, timestamp, value, is_nan)
    SELECT s.id, p.step, p.timestamp, p.value, p.is_nan
    FROM (SELECT id, key FROM known UNION ALL SELECT id, key FROM made) s
    JOIN batch USING (key)
    JOIN unnest(%(places)s::int[], %(steps)s::bigint[], %(timestamps)s::bigint[], %(values)s::float8[],
        %(nans)s::bool[]) AS p (place, step, timestamp, value, is_nan) USING (place)
    ON CONFLICT DO NOTHING
    RETURNING series_id),
grown AS (
    UPDATE experiments_series s SET
        (last_value, last_is_nan, last_step, last_timestamp) = (
            SELECT CASE WHEN newer THEN b.last_value ELSE s.last_value END,
                CASE WHEN newer THEN b.last_is_nan ELSE s.last_is_nan END,
                CASE WHEN newer THEN b.last_step ELSE s.last_step END,
                CASE WHEN newer THEN b.last_timestamp ELSE s.last_timestamp END
            FROM (SELECT (b.last_step, b.last_timestamp, b.last_value, b.last_is_nan)
                > (s.last_step, s.last_timestamp, s.last_value, s.last_is_nan) AS newer) t),
        min_value = least(s.min_value, b.min_value),
        max_value = greatest(s.max_value, b.max_value),
        count = s.count + w.count
    FROM known
    JOIN batch b USING (key)
    JOIN (SELECT series_id, count(*) AS count FROM written GROUP BY series_id) w ON w.series_id = known.id
    WHERE s.id = known.id)
"""

_PARAMS = """,
added AS (
    INSERT INTO experiments_param (run_id, key, value)
    SELECT target.id, param.key, param.value FROM target, param
    WHERE param.key NOT IN (SELECT key FROM kept) {after} ORDER BY param.key
    ON CONFLICT (run_id, key) DO NOTHING
    RETURNING key)
"""

_TAGS = """,
tagged AS (
    INSERT INTO experiments_runtag AS old (run_id, key, value)
    SELECT target.id, t.key, t.value FROM target, unnest(%(tag_keys)s::text[], %(tag_values)s::text[]) AS t (key, value)
    WHERE true {after} ORDER BY t.key
    ON CONFLICT (run_id, key) DO UPDATE SET value = excluded.value WHERE old.value <> excluded.value
    RETURNING key)
"""

_NAMED = """,
named AS (
    UPDATE experiments_run r SET
        name = coalesce(%(run_name)s::text, r.name), parent_run_id = coalesce(%(parent)s::text, r.parent_run_id)
    FROM target WHERE r.id = target.id {after})
"""

_METRICS_SEEN = "(SELECT count(*) FROM known) + (SELECT count(*) FROM made) = cardinality(%(keys)s::text[])"
_PARAMS_SEEN = "(SELECT count(*) FROM kept) + (SELECT count(*) FROM added) = cardinality(%(param_keys)s::text[])"
_DIVISION_BY_ZERO = "22012"


def store(run_id: str, batch: Batch, reach: Reach) -> Stored | None:
    """See `apps.experiments.ingest.store`. Raises `Raced`."""
    named = batch.run_name is not None or batch.parent_run_id is not None
    sql = _statement(bool(batch.values), bool(batch.params), bool(batch.tags), named)
    values: dict[str, Any] = {"run_id": run_id, "anywhere": reach.teams is None, "teams": list(reach.teams or ())}
    values["only"] = reach.experiment_id
    values |= _metric_values(batch) if batch.values else {}
    if batch.params:
        values |= {"param_keys": list(batch.params), "param_values": list(batch.params.values())}
    if batch.tags:
        values |= {"tag_keys": list(batch.tags), "tag_values": list(batch.tags.values())}
    if named:
        values |= {"run_name": batch.run_name, "parent": batch.parent_run_id}
    try:
        rows = hot.rows_of(sql, values)
    except DataError as error:
        if getattr(error.__cause__, "sqlstate", None) == _DIVISION_BY_ZERO:
            raise Raced from error
        raise
    return Stored(rows[0][0], rows[0][1] or {}) if rows else None


def _metric_values(batch: Batch) -> dict[str, Any]:
    keys, lasts, mins, maxs, counts = map(list, zip(*summarise(batch.values), strict=True))
    _, last_steps, last_timestamps, last_values, last_nans = zip(*lasts, strict=True)
    point_keys, steps, timestamps, values, nans = zip(*batch.values, strict=True)
    place_of = {key: place for place, key in enumerate(keys, start=1)}
    return {
        "keys": keys,
        "last_values": _array(last_values),
        "last_nans": _array(last_nans),
        "last_steps": _array(last_steps),
        "last_timestamps": _array(last_timestamps),
        "mins": mins,
        "maxs": maxs,
        "counts": _array(counts),
        "places": _array([place_of[key] for key in point_keys]),
        "steps": _array(steps),
        "timestamps": _array(timestamps),
        "values": _array(values),
        "nans": _array(nans),
    }


def _array(numbers: Iterable[float]) -> str:
    """Numbers and booleans as PostgreSQL reads an array; ten times faster than adapting a list of a thousand."""
    return "{" + ",".join(map(repr, numbers)) + "}"


@cache
def _statement(metrics: bool, params: bool, tags: bool, named: bool) -> str:
    """The statement for calls of this kind. Each part waits for the one before it: that is the order of locks."""
    parts, seen, after = ["WITH", _RUN, _CLASH if params else _NO_CLASH], [], ""
    if metrics:
        parts.append(_METRICS)
        seen.append(_METRICS_SEEN)
        after = "AND (SELECT count(*) FROM written) >= 0"
    if params:
        parts.append(_PARAMS.format(after=after))
        seen.append(_PARAMS_SEEN)
        after = "AND (SELECT count(*) FROM added) >= 0"
    if tags:
        parts.append(_TAGS.format(after=after))
        after = "AND (SELECT count(*) FROM tagged) >= 0"
    if named:
        parts.append(_NAMED.format(after=after))
    clashes = "(SELECT json_object_agg(key, value) FROM clash)" if params else "NULL::json"
    whole = " AND ".join(seen) or "true"
    untouched = "NOT EXISTS (SELECT FROM target) OR " if params else ""
    parts.append(f"SELECT run.id, {clashes}, 1 / (CASE WHEN {untouched}({whole}) THEN 1 ELSE 0 END) FROM run")  # noqa: S608
    return " ".join(parts)
