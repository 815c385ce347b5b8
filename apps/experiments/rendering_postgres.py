"""Runs rendered as JSON text by PostgreSQL: one statement, one row and one column for each run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apps.experiments import hot
from apps.experiments.hot import Reach

_INFO = """
    '{"run_uuid":' || to_json(r.run_id) || ',"experiment_id":"' || r.experiment_id
    || '","run_name":' || to_json(r.name) || ',"user_id":' || to_json(r.user_name)
    || ',"status":"' || r.status || '","start_time":' || coalesce(r.start_ms, 0)
    || CASE WHEN coalesce(r.end_ms, 0) <> 0 THEN ',"end_time":' || r.end_ms ELSE '' END
    || ',"artifact_uri":' || to_json(
        coalesce(nullif(rtrim(e.artifact_location, '/'), ''), 'mlflow-artifacts:/' || e.id)
        || '/' || r.run_id || '/artifacts')
    || ',"lifecycle_stage":"' || CASE WHEN r.deleted_ms IS NULL THEN 'active' ELSE 'deleted' END
    || '","run_id":' || to_json(r.run_id) || '}'
"""

_METRICS = """(
    SELECT string_agg('{"key":' || to_json(s.key) || ',"value":'
        || CASE WHEN s.last_is_nan THEN '"NaN"' ELSE s.last_value::text END
        || ',"timestamp":' || s.last_timestamp || ',"step":' || s.last_step || '}', ',')
    FROM experiments_series s WHERE s.run_id = r.id)"""

_PAIRS = """(
    SELECT string_agg('{{"key":' || to_json(t.key) || ',"value":' || to_json(t.value) || '}}', ',')
    FROM experiments_{table} t WHERE t.run_id = r.id)"""

_DATASETS = """(
    SELECT string_agg('{'
        || coalesce('"tags":' || nullif((
            SELECT '[' || string_agg(
                '{"key":' || (tag -> 0)::text || ',"value":' || (tag -> 1)::text || '}', ',') || ']'
            FROM jsonb_array_elements(i.tags) tag), '[]') || ',', '')
        || '"dataset":{"name":' || to_json(d.name) || ',"digest":' || to_json(d.digest)
        || ',"source_type":' || to_json(d.source_type) || ',"source":' || to_json(d.source)
        || coalesce(',"schema":' || to_json(d.schema), '') || coalesce(',"profile":' || to_json(d.profile), '')
        || '}}', ',' ORDER BY i.id)
    FROM experiments_datasetinput i JOIN experiments_dataset d ON d.id = i.dataset_id WHERE i.run_id = r.id)"""

_LINKS = """(
    SELECT string_agg('{{"model_id":' || to_json(m.model_id) || {more} || '}}', ',' ORDER BY l.id)
    FROM experiments_modellink l JOIN experiments_loggedmodel m ON m.id = l.model_id
    WHERE l.run_id = r.id AND l.direction = '{direction}')"""


def _lists(**parts: str) -> str:
    """SQL for an object of lists, where an empty list is left out, as the protocol does."""
    items = ", ".join(f"""'"{name}":[' || {sql} || ']'""" for name, sql in parts.items())
    return f"'{{' || concat_ws(',', {items}) || '}}'"


_DATA = _lists(metrics=_METRICS, params=_PAIRS.format(table="param"), tags=_PAIRS.format(table="runtag"))
_INPUTS = _lists(dataset_inputs=_DATASETS, model_inputs=_LINKS.format(more="''", direction="input"))
_OUTPUTS = _lists(model_outputs=_LINKS.format(more="',\"step\":' || l.step", direction="output"))
_RUN = f"""
    '{{"info":' || {_INFO} || ',"data":' || {_DATA} || ',"inputs":' || {_INPUTS} || ',"outputs":' || {_OUTPUTS} || '}}'
"""
_FROM = "FROM experiments_run r JOIN experiments_experiment e ON e.id = r.experiment_id"


class Renderer:
    """See `apps.experiments.rendering`."""

    def render(self, pks: Sequence[int]) -> dict[int, bytes]:
        """JSON by the run's key."""
        return self._rows(f"SELECT r.id, {_RUN} {_FROM} WHERE r.id = ANY(%s)", pks)

    def render_one(self, run_id: str, reach: Reach) -> bytes | None:
        """JSON of one run within reach."""
        conditions: dict[str, Any] = {"r.run_id = %s": run_id}
        if reach.teams is not None:
            conditions["e.team_id = ANY(%s)"] = list(reach.teams)
        if reach.experiment_id is not None:
            conditions["e.id = %s"] = reach.experiment_id
        rows = hot.rows_of(f"SELECT {_RUN} {_FROM} WHERE {' AND '.join(conditions)}", list(conditions.values()))
        return str(rows[0][0]).encode() if rows else None

    def _rows(self, sql: str, pks: Sequence[int]) -> dict[int, bytes]:
        return {pk: text.encode() for pk, text in hot.rows_of(sql, [list(pks)])}
