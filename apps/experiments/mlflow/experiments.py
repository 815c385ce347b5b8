from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apps.core.actor import Actor, Level, Scope
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import Int64, Request
from apps.experiments import access, actions
from apps.experiments.mlflow.shapes import Tag, pairs, shown_tags
from apps.experiments.models import Experiment, ExperimentTag
from apps.experiments.search.experiments import search_experiments as search
from apps.experiments.search.ordering import check_max_results
from apps.experiments.search.views import View


class CreateExperiment(Request):
    required = ("name",)
    name: str = ""
    artifact_location: str = ""
    tags: list[Tag] = []


class ExperimentRequest(Request):
    required = ("experiment_id",)
    experiment_id: str = ""


class GetByName(Request):
    required = ("experiment_name",)
    experiment_name: str = ""


class UpdateExperiment(Request):
    required = ("experiment_id", "new_name")
    experiment_id: str = ""
    new_name: str = ""


class ExperimentTagRequest(Request):
    required = ("experiment_id", "key")
    experiment_id: str = ""
    key: str = ""
    value: str = ""


class SearchExperiments(Request):
    filter: str = ""
    order_by: list[str] = []
    view_type: str | int = View.ACTIVE_ONLY.value
    max_results: Int64 = 0
    page_token: str = ""


@endpoint(Scope.TRACKING)
def create_experiment(actor: Actor, request: CreateExperiment) -> Any:
    experiment = actions.create_experiment(
        actor,
        name=request.name,
        artifact_location=request.artifact_location,
        tags=pairs(request.tags),
    )
    return {"experiment_id": str(experiment.pk)}


@endpoint(Scope.TRACKING, reads=True, by_runs=True)
def get_experiment(actor: Actor, request: ExperimentRequest) -> Any:
    return _answer(access.get_experiment(actor, request.experiment_id))


@endpoint(Scope.TRACKING, reads=True, by_runs=True)
def get_experiment_by_name(actor: Actor, request: GetByName) -> Any:
    return _answer(access.get_experiment_by_name(actor, request.experiment_name))


@endpoint(Scope.TRACKING)
def update_experiment(actor: Actor, request: UpdateExperiment) -> Any:
    experiment = access.get_experiment(actor, request.experiment_id, Level.EDIT)
    actions.rename_experiment(actor, experiment=experiment, name=request.new_name)
    return {}


@endpoint(Scope.TRACKING)
def delete_experiment(actor: Actor, request: ExperimentRequest) -> Any:
    actions.delete_experiment(actor, experiment=access.get_experiment(actor, request.experiment_id, Level.MANAGE))
    return {}


@endpoint(Scope.TRACKING)
def restore_experiment(actor: Actor, request: ExperimentRequest) -> Any:
    actions.restore_experiment(actor, experiment=access.get_experiment(actor, request.experiment_id, Level.MANAGE))
    return {}


@endpoint(Scope.TRACKING)
def set_experiment_tag(actor: Actor, request: ExperimentTagRequest) -> Any:
    experiment = access.get_experiment(actor, request.experiment_id, Level.EDIT)
    actions.set_experiment_tag(actor, experiment=experiment, key=request.key, value=request.value)
    return {}


@endpoint(Scope.TRACKING)
def delete_experiment_tag(actor: Actor, request: ExperimentTagRequest) -> Any:
    experiment = access.get_experiment(actor, request.experiment_id, Level.EDIT)
    actions.delete_experiment_tag(actor, experiment=experiment, key=request.key)
    return {}


@endpoint(Scope.TRACKING, reads=True, by_runs=True)
def search_experiments(actor: Actor, request: SearchExperiments) -> Any:
    page = search(
        actor,
        text=request.filter,
        order_by=request.order_by,
        view=View.parse(request.view_type),
        max_results=check_max_results(request.max_results),
        page_token=request.page_token,
    )
    answer: dict[str, Any] = {"experiments": _shown(page.items)} if page.items else {}
    return answer | ({"next_page_token": page.next_token} if page.next_token else {})


def _answer(experiment: Experiment) -> dict[str, Any]:
    tags = ExperimentTag.objects.filter(experiment=experiment).order_by("key")
    return {"experiment": _experiment(experiment, list(tags.values_list("key", "value")))}


def _shown(keys: Sequence[int]) -> list[dict[str, Any]]:
    """The experiments, in the order of `keys`. Two statements."""
    found = Experiment.objects.select_related("team").in_bulk(keys)
    tags: dict[int, list[tuple[str, str]]] = {}
    rows = ExperimentTag.objects.filter(experiment__in=keys).order_by("key")
    for experiment_id, key, value in rows.values_list("experiment_id", "key", "value"):
        tags.setdefault(experiment_id, []).append((key, value))
    return [_experiment(found[key], tags.get(key, [])) for key in keys if key in found]


def _experiment(experiment: Experiment, tags: Sequence[tuple[str, str]]) -> dict[str, Any]:
    shown = {
        "experiment_id": str(experiment.pk),
        "name": experiment.name,
        "artifact_location": experiment.artifact_root,
        "lifecycle_stage": "deleted" if experiment.is_deleted else "active",
        "last_update_time": experiment.updated_ms,
        "creation_time": experiment.created_ms,
        "workspace": experiment.team.name,
    }
    return shown | ({"tags": shown_tags(tags)} if tags else {})


ROUTES = [
    Route("POST", "2.0/mlflow/experiments/create", create_experiment),
    Route("GET", "2.0/mlflow/experiments/get", get_experiment),
    Route("GET", "2.0/mlflow/experiments/get-by-name", get_experiment_by_name),
    Route("POST", "2.0/mlflow/experiments/search", search_experiments),
    Route("GET", "2.0/mlflow/experiments/search", search_experiments),
    Route("POST", "2.0/mlflow/experiments/update", update_experiment),
    Route("POST", "2.0/mlflow/experiments/delete", delete_experiment),
    Route("POST", "2.0/mlflow/experiments/restore", restore_experiment),
    Route("POST", "2.0/mlflow/experiments/set-experiment-tag", set_experiment_tag),
    Route("POST", "2.0/mlflow/experiments/delete-experiment-tag", delete_experiment_tag),
]
