"""A new run and its first tags in one statement, which is a transaction: a sweep makes thousands of small runs."""

from __future__ import annotations

from collections.abc import Mapping

from apps.experiments import hot
from apps.experiments.models import Run

_COLUMNS = ("run_id", "experiment_id", "name", "status", "start_ms", "user_name", "owner_id", "parent_run_id")
_INSERT = f"""
    WITH made AS (
        INSERT INTO experiments_run ({", ".join(_COLUMNS)})
        VALUES ({", ".join(f"%({column})s" for column in _COLUMNS)}) RETURNING id),
    tagged AS (
        INSERT INTO experiments_runtag (run_id, key, value)
        SELECT made.id, t.key, t.value FROM made, unnest(%(keys)s::text[], %(values)s::text[]) AS t (key, value))
    SELECT id FROM made
"""  # noqa: S608


def insert_run(run: Run, tags: Mapping[str, str]) -> None:
    """Store a new run; gives it its key. Called with PostgreSQL only."""
    values = {column: getattr(run, column) for column in _COLUMNS}
    rows = hot.rows_of(_INSERT, {**values, "keys": list(tags), "values": list(tags.values())})
    run.pk = rows[0][0]
    run._state.adding, run._state.db = False, "default"
