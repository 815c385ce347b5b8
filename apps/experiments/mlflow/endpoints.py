from __future__ import annotations

from typing import Any

import msgspec

from apps.core.actor import Actor, Level, Scope
from apps.core.mlflow.routing import endpoint
from apps.core.mlflow.wire import Int64, Request, RunRequest
from apps.experiments import access, actions
from apps.experiments.models import Experiment, Run


class Tag(msgspec.Struct):
    key: str
    value: str = ""


class CreateExperiment(Request):
    required = ("name",)
    name: str = ""
    artifact_location: str = ""
    tags: list[Tag] = []


class GetExperiment(Request):
    required = ("experiment_id",)
    experiment_id: str = ""


class CreateRun(Request):
    experiment_id: str = "0"
    user_id: str = ""
    run_name: str = ""
    start_time: Int64 | None = None
    tags: list[Tag] = []


@endpoint(Scope.TRACKING)
def create_experiment(actor: Actor, request: CreateExperiment) -> Any:
    experiment = actions.create_experiment(
        actor,
        name=request.name,
        artifact_location=request.artifact_location,
        tags=[(tag.key, tag.value) for tag in request.tags],
    )
    return {"experiment_id": str(experiment.pk)}


@endpoint(Scope.TRACKING, reads=True)
def get_experiment(actor: Actor, request: GetExperiment) -> Any:
    return {"experiment": _experiment(access.get_experiment(actor, request.experiment_id))}


@endpoint(Scope.TRACKING)
def create_run(actor: Actor, request: CreateRun) -> Any:
    run = actions.create_run(
        actor,
        experiment=access.get_experiment(actor, request.experiment_id, Level.EDIT),
        name=request.run_name,
        user_name=request.user_id,
        start_ms=request.start_time or actions.now_ms(),
        tags=[(tag.key, tag.value) for tag in request.tags],
    )
    return {"run": {"info": _run_info(run)}}


@endpoint(Scope.TRACKING, reads=True)
def get_run(actor: Actor, request: RunRequest) -> Any:
    return {"run": {"info": _run_info(access.get_run(actor, request.run_id))}}


def _experiment(experiment: Experiment) -> dict[str, Any]:
    return {"experiment_id": str(experiment.pk), "name": experiment.name, "artifact_location": experiment.artifact_root}


def _run_info(run: Run) -> dict[str, Any]:
    return {"run_id": run.run_id, "run_uuid": run.run_id, "run_name": run.name, "status": run.status}
