"""What scripts log into a run. The hottest routes: they fetch nothing, the statement that stores also authorises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from apps.core.actor import Actor, Scope
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import Double, Int64, RunRequest, missing_value, parse_double
from apps.experiments import actions
from apps.experiments.limits import MAX_BATCH_BYTES
from apps.experiments.mlflow.shapes import Tag, pairs


class LogMetric(RunRequest):
    required = ("run_id", "key", "value", "timestamp")
    key: str = ""
    value: Double | None = None
    timestamp: Int64 | None = None
    step: Int64 = 0
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class LogParam(RunRequest):
    required = ("run_id", "key")
    key: str = ""
    value: str = ""


class SetTag(LogParam):
    pass


class DeleteTag(RunRequest):
    required = ("run_id", "key")
    key: str = ""


class Metric(msgspec.Struct):
    key: str = ""
    value: Double | None = None
    timestamp: Int64 | None = None
    step: Int64 = 0
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class LogBatch(RunRequest):
    max_bytes: ClassVar[int] = MAX_BATCH_BYTES
    metrics: list[Metric] = []
    params: list[Tag] = []
    tags: list[Tag] = []


@endpoint(Scope.TRACKING, by_runs=True)
def log_metric(actor: Actor, request: LogMetric) -> Any:
    value = _value(request, "")
    actions.log_metric(actor, run_id=request.run_id, value=value, of_model=_of_model(request, value))
    return {}


@endpoint(Scope.TRACKING, by_runs=True)
def log_parameter(actor: Actor, request: LogParam) -> Any:
    actions.log_param(actor, run_id=request.run_id, key=request.key, value=request.value)
    return {}


@endpoint(Scope.TRACKING, by_runs=True)
def set_tag(actor: Actor, request: SetTag) -> Any:
    actions.set_tag(actor, run_id=request.run_id, key=request.key, value=request.value)
    return {}


@endpoint(Scope.TRACKING)
def delete_tag(actor: Actor, request: DeleteTag) -> Any:
    actions.delete_tag(actor, run_id=request.run_id, key=request.key)
    return {}


@endpoint(Scope.TRACKING, by_runs=True)
def log_batch(actor: Actor, request: LogBatch) -> Any:
    values = [_value(metric, f"metrics[{index}].") for index, metric in enumerate(request.metrics)]
    of_models = [_of_model(*both) for both in zip(request.metrics, values, strict=True)]
    _require_keys("params", request.params)
    _require_keys("tags", request.tags)
    actions.log_batch(
        actor,
        run_id=request.run_id,
        values=values,
        params=pairs(request.params),
        tags=pairs(request.tags),
        of_models=[of_model for of_model in of_models if of_model],
    )
    return {}


def _value(metric: LogMetric | Metric, prefix: str) -> actions.Value:
    if not metric.key:
        raise missing_value(f"{prefix}key")
    if metric.value is None or metric.value == "":
        raise missing_value(f"{prefix}value")
    if metric.timestamp is None:
        raise missing_value(f"{prefix}timestamp")
    return actions.Value(metric.key, metric.step, metric.timestamp, *parse_double(f"{prefix}value", metric.value))


def _of_model(metric: LogMetric | Metric, value: actions.Value) -> actions.ModelValue | None:
    if not metric.model_id:
        return None
    return actions.ModelValue(metric.model_id, value, metric.dataset_name, metric.dataset_digest)


def _require_keys(name: str, tags: Sequence[Tag]) -> None:
    for index, tag in enumerate(tags):
        if not tag.key:
            raise missing_value(f"{name}[{index}].key")


ROUTES = [
    Route("POST", "2.0/mlflow/runs/log-metric", log_metric),
    Route("POST", "2.0/mlflow/runs/log-parameter", log_parameter),
    Route("POST", "2.0/mlflow/runs/log-batch", log_batch),
    Route("POST", "2.0/mlflow/runs/set-tag", set_tag),
    Route("POST", "2.0/mlflow/runs/delete-tag", delete_tag),
]
