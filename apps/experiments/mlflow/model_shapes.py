"""Logged models in the protocol's shape."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from apps.core.mlflow.wire import show_double
from apps.experiments.mlflow.shapes import shown_tags
from apps.experiments.models import LoggedModel, LoggedModelMetric, LoggedModelParam, LoggedModelTag

_METRIC_COLUMNS = (
    "model_id",
    "key",
    "value",
    "is_nan",
    "timestamp",
    "step",
    "dataset_name",
    "dataset_digest",
    "run__run_id",
)


def show_models(keys: Sequence[int]) -> list[dict[str, Any]]:
    """The models with these primary keys, in their order. Four statements for any number."""
    models = LoggedModel.objects.select_related("experiment").in_bulk(keys)
    tags = _pairs(LoggedModelTag, keys)
    params = _pairs(LoggedModelParam, keys)
    metrics = _metrics(models)
    return [_model(models[key], tags[key], params[key], metrics[key]) for key in keys if key in models]


def _model(
    model: LoggedModel, tags: list[tuple[str, str]], params: list[tuple[str, str]], metrics: list[dict[str, Any]]
) -> dict[str, Any]:
    info = {
        "model_id": model.model_id,
        "experiment_id": str(model.experiment_id),
        "name": model.name,
        "creation_timestamp_ms": model.created_ms,
        "last_updated_timestamp_ms": model.updated_ms,
        "artifact_uri": model.artifact_uri,
        "status": model.status,
        "model_type": model.model_type,
        "source_run_id": model.source_run_id,
    }
    info |= {"status_message": model.status_message} if model.status_message else {}
    info |= {"tags": shown_tags(tags)} if tags else {}
    data = {"params": shown_tags(params), "metrics": metrics}
    return {"info": info, "data": {name: items for name, items in data.items() if items}}


def _pairs(table: type[LoggedModelTag | LoggedModelParam], keys: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    rows = table._default_manager.filter(model__in=keys).order_by("key").values_list("model_id", "key", "value")
    for model_id, key, value in rows:
        found[model_id].append((key, value))
    return found


def _metrics(models: dict[int, LoggedModel]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    rows = LoggedModelMetric.objects.filter(model__in=models).order_by("pk").values_list(*_METRIC_COLUMNS)
    for model_id, key, value, is_nan, timestamp, step, dataset_name, dataset_digest, run_id in rows:
        metric = {"key": key, "value": show_double(value, is_nan), "timestamp": timestamp, "step": step}
        metric |= {"dataset_name": dataset_name} if dataset_name else {}
        metric |= {"dataset_digest": dataset_digest} if dataset_digest else {}
        found[model_id].append(metric | {"model_id": models[model_id].model_id, "run_id": run_id})
    return found
