"""Runs rendered as JSON in Python, from two statements: the runs, and everything below them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from django.db import connection

from apps.experiments.hot import Reach

_INFO = """
    SELECT r.id, r.run_id, r.experiment_id, r.name, r.user_name, r.status, r.start_ms, r.end_ms, r.deleted_ms,
        e.artifact_location
    FROM experiments_run r JOIN experiments_experiment e ON e.id = r.experiment_id
    WHERE {condition}
"""

# One list of keys for all parts: SQLite limits how many values a statement may name.
_BELOW = """
    WITH wanted(id) AS (SELECT value FROM json_each(%s))
    SELECT run_id, 'metrics', key, last_value, +last_is_nan, last_timestamp, last_step, NULL, NULL
        FROM experiments_series WHERE run_id IN (SELECT id FROM wanted)
    UNION ALL
    SELECT run_id, 'params', key, value, NULL, NULL, NULL, NULL, NULL
        FROM experiments_param WHERE run_id IN (SELECT id FROM wanted)
    UNION ALL
    SELECT run_id, 'tags', key, value, NULL, NULL, NULL, NULL, NULL
        FROM experiments_runtag WHERE run_id IN (SELECT id FROM wanted)
    UNION ALL
    SELECT * FROM (
        SELECT i.run_id, 'dataset_inputs', d.name, d.digest, d.source_type, d.source, d.schema, d.profile, i.tags
        FROM experiments_datasetinput i JOIN experiments_dataset d ON d.id = i.dataset_id
        WHERE i.run_id IN (SELECT id FROM wanted) ORDER BY i.id)
    UNION ALL
    SELECT * FROM (
        SELECT l.run_id, CASE l.direction WHEN 'input' THEN 'model_inputs' ELSE 'model_outputs' END,
            m.model_id, l.step, NULL, NULL, NULL, NULL, NULL
        FROM experiments_modellink l JOIN experiments_loggedmodel m ON m.id = l.model_id
        WHERE l.run_id IN (SELECT id FROM wanted) ORDER BY l.id)
"""

Lists = dict[str, list[dict[str, Any]]]


class Renderer:
    """See `apps.experiments.rendering`."""

    def render(self, pks: Sequence[int]) -> dict[int, bytes]:
        """JSON by the run's key."""
        return _render(_infos("r.id IN (SELECT value FROM json_each(%s))", [_json(pks)]))

    def render_one(self, run_id: str, reach: Reach) -> bytes | None:
        """JSON of one run within reach."""
        conditions: dict[str, Any] = {"r.run_id = %s": run_id}
        if reach.teams is not None:
            conditions["e.team_id IN (SELECT value FROM json_each(%s))"] = _json(reach.teams)
        if reach.experiment_id is not None:
            conditions["e.id = %s"] = reach.experiment_id
        infos = _infos(" AND ".join(conditions), list(conditions.values()))
        return next(iter(_render(infos).values()), None) if infos else None


def _json(values: Sequence[int]) -> str:
    return orjson.dumps(list(values)).decode()


def _infos(condition: str, values: list[Any]) -> dict[int, dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(_INFO.format(condition=condition), values)
        return {row[0]: info(*row[1:]) for row in cursor.fetchall()}


def info(
    run_id: str,
    experiment_id: int,
    name: str,
    user_name: str,
    status: str,
    start_ms: int | None,
    end_ms: int | None,
    deleted_ms: int | None,
    artifact_location: str,
) -> dict[str, Any]:
    """The protocol's `info` of a run; times in milliseconds since the epoch."""
    root = artifact_location.rstrip("/") or f"mlflow-artifacts:/{experiment_id}"
    return {
        "run_uuid": run_id,
        "experiment_id": str(experiment_id),
        "run_name": name,
        "user_id": user_name,
        "status": status,
        "start_time": start_ms or 0,
        **({"end_time": end_ms} if end_ms else {}),
        "artifact_uri": f"{root}/{run_id}/artifacts",
        "lifecycle_stage": "active" if deleted_ms is None else "deleted",
        "run_id": run_id,
    }


def _render(infos: dict[int, dict[str, Any]]) -> dict[int, bytes]:
    below: defaultdict[int, Lists] = defaultdict(lambda: defaultdict(list))
    with connection.cursor() as cursor:
        cursor.execute(_BELOW, [_json(list(infos))])
        for run_pk, kind, *row in cursor.fetchall():
            below[run_pk][kind].append(_SHAPES[kind](*row))
    return {pk: orjson.dumps(_run(shown, below[pk])) for pk, shown in infos.items()}


def _run(shown: dict[str, Any], lists: Lists) -> dict[str, Any]:
    # Empty lists are left out, as the protocol does.
    def present(*names: str) -> Lists:
        return {name: lists[name] for name in names if name in lists}

    return {
        "info": shown,
        "data": present("metrics", "params", "tags"),
        "inputs": present("dataset_inputs", "model_inputs"),
        "outputs": present("model_outputs"),
    }


def _metric(key: str, value: float, is_nan: int, timestamp: int, step: int, *_: object) -> dict[str, Any]:
    return {"key": key, "value": "NaN" if is_nan else value, "timestamp": timestamp, "step": step}


def _pair(key: str, value: str, *_: object) -> dict[str, Any]:
    return {"key": key, "value": value}


def _dataset(
    name: str, digest: str, kind: str, source: str, schema: str | None, profile: str | None, tags: str
) -> dict[str, Any]:
    optional = {"schema": schema, "profile": profile}
    dataset = {"name": name, "digest": digest, "source_type": kind, "source": source}
    dataset |= {key: text for key, text in optional.items() if text is not None}
    shown = [{"key": key, "value": value} for key, value in orjson.loads(tags)]
    return {**({"tags": shown} if shown else {}), "dataset": dataset}


def _model_input(model_id: str, *_: object) -> dict[str, Any]:
    return {"model_id": model_id}


def _model_output(model_id: str, step: int, *_: object) -> dict[str, Any]:
    return {"model_id": model_id, "step": step}


_SHAPES: dict[str, Callable[..., dict[str, Any]]] = {
    "metrics": _metric,
    "params": _pair,
    "tags": _pair,
    "dataset_inputs": _dataset,
    "model_inputs": _model_input,
    "model_outputs": _model_output,
}
