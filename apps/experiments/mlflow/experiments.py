from __future__ import annotations

from typing import Any

from apps.core.actor import Actor, Scope
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import Request
from apps.experiments import access, actions
from apps.experiments.mlflow.shapes import Tag, pairs
from apps.experiments.models import Experiment


class CreateExperiment(Request):
    required = ("name",)
    name: str = ""
    artifact_location: str = ""
    tags: list[Tag] = []


class GetExperiment(Request):
    required = ("experiment_id",)
    experiment_id: str = ""


@endpoint(Scope.TRACKING)
def create_experiment(actor: Actor, request: CreateExperiment) -> Any:
    experiment = actions.create_experiment(
        actor,
        name=request.name,
        artifact_location=request.artifact_location,
        tags=pairs(request.tags),
    )
    return {"experiment_id": str(experiment.pk)}


@endpoint(Scope.TRACKING, reads=True)
def get_experiment(actor: Actor, request: GetExperiment) -> Any:
    return {"experiment": _experiment(access.get_experiment(actor, request.experiment_id))}


def _experiment(experiment: Experiment) -> dict[str, Any]:
    return {"experiment_id": str(experiment.pk), "name": experiment.name, "artifact_location": experiment.artifact_root}


ROUTES = [
    Route("POST", "2.0/mlflow/experiments/create", create_experiment),
    Route("GET", "2.0/mlflow/experiments/get", get_experiment),
]
