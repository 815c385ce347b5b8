from __future__ import annotations

from typing import Any

from apps.core.actor import Actor, Level, Scope
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import Int64, Request, RunRequest
from apps.experiments import access, actions
from apps.experiments.mlflow.shapes import Tag, pairs
from apps.experiments.models import Run


class CreateRun(Request):
    experiment_id: str = "0"
    user_id: str = ""
    run_name: str = ""
    start_time: Int64 | None = None
    tags: list[Tag] = []


@endpoint(Scope.TRACKING)
def create_run(actor: Actor, request: CreateRun) -> Any:
    run = actions.create_run(
        actor,
        experiment=access.get_experiment(actor, request.experiment_id, Level.EDIT),
        name=request.run_name,
        user_name=request.user_id,
        start_ms=request.start_time or actions.now_ms(),
        tags=pairs(request.tags),
    )
    return {"run": {"info": _run_info(run)}}


@endpoint(Scope.TRACKING, reads=True)
def get_run(actor: Actor, request: RunRequest) -> Any:
    return {"run": {"info": _run_info(access.get_run(actor, request.run_id))}}


def _run_info(run: Run) -> dict[str, Any]:
    return {"run_id": run.run_id, "run_uuid": run.run_id, "run_name": run.name, "status": run.status}


ROUTES = [
    Route("POST", "2.0/mlflow/runs/create", create_run),
    Route("GET", "2.0/mlflow/runs/get", get_run),
]
