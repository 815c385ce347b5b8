from __future__ import annotations

from typing import Any

import msgspec

from apps.core.actor import Actor, Level, Scope
from apps.core.errors import InvalidInput
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import Int64, Request, missing_value
from apps.experiments import access, actions
from apps.experiments.mlflow.model_shapes import show_models
from apps.experiments.mlflow.shapes import Tag, pairs
from apps.experiments.models import LoggedModelStatus
from apps.experiments.search.logged_models import DatasetWanted, ModelClause
from apps.experiments.search.logged_models import search_logged_models as search
from apps.experiments.search.ordering import check_max_results

DEFAULT_RESULTS = 100


class CreateLoggedModel(Request):
    required = ("experiment_id",)
    experiment_id: str = ""
    name: str = ""
    model_type: str = ""
    source_run_id: str = ""
    params: list[Tag] = []
    tags: list[Tag] = []


class ModelRequest(Request):
    required = ("model_id",)
    model_id: str = ""


class GetLoggedModel(ModelRequest):
    allow_deleted: bool = False


class Finalize(ModelRequest):
    status: str | int | None = None


class SetTags(ModelRequest):
    tags: list[Tag] = []


class DeleteTag(ModelRequest):
    tag_key: str = ""


class LogParams(ModelRequest):
    params: list[Tag] = []


class DatasetShape(msgspec.Struct):
    dataset_name: str = ""
    dataset_digest: str = ""


class OrderShape(msgspec.Struct):
    field_name: str = ""
    ascending: bool = True
    dataset_name: str = ""
    dataset_digest: str = ""


class SearchLoggedModels(Request):
    experiment_ids: list[str] = []
    filter: str = ""
    datasets: list[DatasetShape] = []
    order_by: list[OrderShape] = []
    max_results: Int64 = 0
    page_token: str = ""


@endpoint(Scope.TRACKING, by_runs=True)
def create_logged_model(actor: Actor, request: CreateLoggedModel) -> Any:
    model = actions.create_logged_model(
        actor,
        experiment=access.get_experiment(actor, request.experiment_id, Level.EDIT),
        name=request.name,
        model_type=request.model_type,
        source_run_id=request.source_run_id,
        params=pairs(request.params),
        tags=pairs(request.tags),
    )
    return _answer(model.pk)


@endpoint(Scope.TRACKING, reads=True, by_runs=True)
def get_logged_model(actor: Actor, request: GetLoggedModel) -> Any:
    return _answer(access.get_logged_model(actor, request.model_id, also_deleted=request.allow_deleted).pk)


@endpoint(Scope.TRACKING, by_runs=True)
def finalize_logged_model(actor: Actor, request: Finalize) -> Any:
    if request.status is None:
        raise missing_value("status")
    model = access.get_logged_model(actor, request.model_id, Level.EDIT, also_deleted=True)
    actions.finalize_logged_model(actor, model=model, status=_status(request.status))
    return _answer(model.pk)


@endpoint(Scope.TRACKING)
def delete_logged_model(actor: Actor, request: ModelRequest) -> Any:
    model = access.get_logged_model(actor, request.model_id, Level.MANAGE, also_deleted=True)
    actions.delete_logged_model(actor, model=model)
    return {}


@endpoint(Scope.TRACKING, by_runs=True)
def set_logged_model_tags(actor: Actor, request: SetTags) -> Any:
    model = access.get_logged_model(actor, request.model_id, Level.EDIT, also_deleted=True)
    actions.set_logged_model_tags(actor, model=model, tags=pairs(request.tags))
    return {}


@endpoint(Scope.TRACKING)
def delete_logged_model_tag(actor: Actor, request: DeleteTag) -> Any:
    model = access.get_logged_model(actor, request.model_id, Level.EDIT, also_deleted=True)
    actions.delete_logged_model_tag(actor, model=model, key=request.tag_key)
    return {}


@endpoint(Scope.TRACKING, by_runs=True)
def log_logged_model_params(actor: Actor, request: LogParams) -> Any:
    model = access.get_logged_model(actor, request.model_id, Level.EDIT, also_deleted=True)
    actions.log_logged_model_params(actor, model=model, params=pairs(request.params))
    return {}


@endpoint(Scope.TRACKING, reads=True, by_runs=True)
def search_logged_models(actor: Actor, request: SearchLoggedModels) -> Any:
    if any(not dataset.dataset_name for dataset in request.datasets):
        raise InvalidInput("`dataset_name` in the `datasets` clause must be specified.")
    page = search(
        actor,
        experiment_ids=access.visible_experiment_keys(actor, request.experiment_ids),
        text=request.filter,
        datasets=[DatasetWanted(dataset.dataset_name, dataset.dataset_digest) for dataset in request.datasets],
        order_by=[_clause(shape) for shape in request.order_by],
        max_results=check_max_results(request.max_results or DEFAULT_RESULTS),
        page_token=request.page_token,
    )
    answer: dict[str, Any] = {"models": show_models(page.items)} if page.items else {}
    return answer | ({"next_page_token": page.next_token} if page.next_token else {})


def _answer(key: int) -> dict[str, Any]:
    return {"model": show_models([key])[0]}


def _clause(shape: OrderShape) -> ModelClause:
    dataset = DatasetWanted(shape.dataset_name, shape.dataset_digest)
    return ModelClause(shape.field_name, shape.ascending, dataset)


def _status(raw: str | int) -> LoggedModelStatus:
    """By name or by the number of the protocol's enum; what it doesn't know is its 0, as with its own server."""
    text = str(raw)
    for number, status in enumerate(LoggedModelStatus):
        if text in (status.value, str(number)):
            return status
    return LoggedModelStatus.UNSPECIFIED


ROUTES = [
    Route("POST", "2.0/mlflow/logged-models", create_logged_model),
    Route("POST", "2.0/mlflow/logged-models/search", search_logged_models),
    Route("GET", "2.0/mlflow/logged-models/{model_id}", get_logged_model),
    Route("PATCH", "2.0/mlflow/logged-models/{model_id}", finalize_logged_model),
    Route("DELETE", "2.0/mlflow/logged-models/{model_id}", delete_logged_model),
    Route("PATCH", "2.0/mlflow/logged-models/{model_id}/tags", set_logged_model_tags),
    Route("DELETE", "2.0/mlflow/logged-models/{model_id}/tags/{tag_key}", delete_logged_model_tag),
    Route("POST", "2.0/mlflow/logged-models/{model_id}/params", log_logged_model_params),
]
