from __future__ import annotations

from typing import Any, ClassVar

from apps.core.actor import Actor, Level, Scope
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import Int64, Request, RunRequest, invalid_value
from apps.experiments import access, actions, rendering
from apps.experiments.mlflow.shapes import Tag, pairs
from apps.experiments.models import RunStatus

# The protocol's enum; clients send names, some send numbers.
_STATUSES = dict(enumerate(RunStatus, start=1))


class CreateRun(Request):
    headers: ClassVar = {"idempotency_key": "Idempotency-Key"}

    experiment_id: str = "0"
    user_id: str = ""
    run_name: str = ""
    start_time: Int64 | None = None
    tags: list[Tag] = []
    idempotency_key: str = ""


class UpdateRun(RunRequest):
    status: str | int = ""
    end_time: Int64 | None = None
    run_name: str = ""


@endpoint(Scope.TRACKING, by_runs=True)
def create_run(actor: Actor, request: CreateRun) -> Any:
    run = actions.create_run(
        actor,
        experiment=access.get_experiment(actor, request.experiment_id or "0", Level.EDIT),
        name=request.run_name,
        user_name=request.user_id,
        start_ms=actions.now_ms() if request.start_time is None else request.start_time,
        tags=pairs(request.tags),
        idempotency_key=request.idempotency_key,
    )
    tags = dict(run.tags.values_list("key", "value")) if run.made_with is None else run.made_with
    shown = [{"key": key, "value": value} for key, value in tags.items()]
    return {"run": {"info": rendering.info_of(run), "data": {"tags": shown}, "inputs": {}}}


@endpoint(Scope.TRACKING, reads=True, by_runs=True)
def get_run(actor: Actor, request: RunRequest) -> Any:
    rendered = rendering.render_run(actor, request.run_id)
    if rendered is None:
        rendered = rendering.render_runs([access.get_run(actor, request.run_id).pk])[0]
    return b'{"run":' + rendered + b"}"


@endpoint(Scope.TRACKING, by_runs=True)
def update_run(actor: Actor, request: UpdateRun) -> Any:
    run = actions.update_run(
        actor,
        run=access.get_run(actor, request.run_id, Level.EDIT),
        status=_status(request.status),
        end_ms=request.end_time,
        name=request.run_name,
    )
    return {"run_info": rendering.info_of(run)}


@endpoint(Scope.TRACKING)
def delete_run(actor: Actor, request: RunRequest) -> Any:
    actions.delete_run(actor, run=access.get_run(actor, request.run_id, Level.MANAGE))
    return {}


@endpoint(Scope.TRACKING)
def restore_run(actor: Actor, request: RunRequest) -> Any:
    actions.restore_run(actor, run=access.get_run(actor, request.run_id, Level.MANAGE))
    return {}


def _status(raw: str | int) -> RunStatus | None:
    if raw == "":
        return None
    if isinstance(raw, int) and raw in _STATUSES:
        return _STATUSES[raw]
    if raw not in RunStatus.values:
        raise invalid_value("status", raw, f" Hint: it is one of {', '.join(RunStatus.values)}.")
    return RunStatus(raw)


ROUTES = [
    Route("POST", "2.0/mlflow/runs/create", create_run),
    Route("GET", "2.0/mlflow/runs/get", get_run),
    Route("POST", "2.0/mlflow/runs/update", update_run),
    Route("POST", "2.0/mlflow/runs/delete", delete_run),
    Route("POST", "2.0/mlflow/runs/restore", restore_run),
]
