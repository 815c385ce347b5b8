from __future__ import annotations

from typing import Any, ClassVar

from apps.core.actor import Actor, Level, Scope
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import Int64, Request, check_most
from apps.experiments.mlflow.shapes import Tag, pairs
from apps.experiments.search.ordering import check_max_results
from apps.registry import access, actions
from apps.registry.mlflow.shapes import latest_of, show_model, show_models, show_versions
from apps.registry.references import stages_named
from apps.registry.search.models import search_models as search
from apps.registry.stages import Stage

MAX_RESULTS = 1000
DEFAULT_RESULTS = 100


class CreateModel(Request):
    required: ClassVar[tuple[str, ...]] = ("name",)
    name: str = ""
    tags: list[Tag] = []
    description: str = ""


class ModelRequest(Request):
    required: ClassVar[tuple[str, ...]] = ("name",)
    name: str = ""


class DescribeModel(ModelRequest):
    description: str = ""


class RenameModel(ModelRequest):
    required: ClassVar[tuple[str, ...]] = ("name", "new_name")
    new_name: str = ""


class ModelTagRequest(ModelRequest):
    required: ClassVar[tuple[str, ...]] = ("name", "key")
    key: str = ""
    value: str = ""


class LatestVersions(ModelRequest):
    stages: list[str] = []


class SearchModels(Request):
    filter: str = ""
    max_results: Int64 = DEFAULT_RESULTS
    order_by: list[str] = []
    page_token: str = ""


@endpoint(Scope.REGISTRY, by_runs=True)
def create_registered_model(actor: Actor, request: CreateModel) -> Any:
    tags = pairs(request.tags)
    model = actions.create_model(actor, name=request.name, description=request.description, tags=tags)
    return {"registered_model": show_model(model)}


@endpoint(Scope.REGISTRY, reads=True, by_runs=True)
def get_registered_model(actor: Actor, request: ModelRequest) -> Any:
    return {"registered_model": show_model(access.get_model(actor, request.name))}


@endpoint(Scope.REGISTRY)
def update_registered_model(actor: Actor, request: DescribeModel) -> Any:
    model = access.get_model(actor, request.name, Level.EDIT)
    actions.describe_model(actor, model=model, description=request.description)
    return {"registered_model": show_model(model)}


@endpoint(Scope.REGISTRY)
def rename_registered_model(actor: Actor, request: RenameModel) -> Any:
    model = access.get_model(actor, request.name, Level.MANAGE)
    actions.rename_model(actor, model=model, name=request.new_name)
    return {"registered_model": show_model(model)}


@endpoint(Scope.REGISTRY)
def delete_registered_model(actor: Actor, request: ModelRequest) -> Any:
    actions.delete_model(actor, model=access.get_model(actor, request.name, Level.MANAGE))
    return {}


@endpoint(Scope.REGISTRY)
def set_registered_model_tag(actor: Actor, request: ModelTagRequest) -> Any:
    model = access.get_model(actor, request.name, Level.EDIT)
    actions.set_model_tag(actor, model=model, key=request.key, value=request.value)
    return {}


@endpoint(Scope.REGISTRY)
def delete_registered_model_tag(actor: Actor, request: ModelTagRequest) -> Any:
    model = access.get_model(actor, request.name, Level.EDIT)
    actions.delete_model_tag(actor, model=model, key=request.key)
    return {}


@endpoint(Scope.REGISTRY, reads=True, by_runs=True)
def get_latest_versions(actor: Actor, request: LatestVersions) -> Any:
    model = access.get_model(actor, request.name)
    stages, numbers = stages_named(request.stages)
    keys = [key for _, key in latest_of([model.pk], stages if request.stages else tuple(Stage))]
    keys += access.version_keys(model, numbers)
    return {"model_versions": show_versions(keys)} if keys else {}


@endpoint(Scope.REGISTRY, reads=True, by_runs=True)
def search_registered_models(actor: Actor, request: SearchModels) -> Any:
    check_most("max_results", request.max_results, MAX_RESULTS)
    page = search(
        actor,
        text=request.filter,
        order_by=request.order_by,
        max_results=check_max_results(request.max_results),
        page_token=request.page_token,
    )
    answer: dict[str, Any] = {"registered_models": show_models(page.items)} if page.items else {}
    return answer | ({"next_page_token": page.next_token} if page.next_token else {})


ROUTES = [
    Route("POST", "2.0/mlflow/registered-models/create", create_registered_model),
    Route("GET", "2.0/mlflow/registered-models/get", get_registered_model),
    Route("PATCH", "2.0/mlflow/registered-models/update", update_registered_model),
    Route("POST", "2.0/mlflow/registered-models/rename", rename_registered_model),
    Route("DELETE", "2.0/mlflow/registered-models/delete", delete_registered_model),
    Route("GET", "2.0/mlflow/registered-models/search", search_registered_models),
    Route("POST", "2.0/mlflow/registered-models/get-latest-versions", get_latest_versions),
    Route("GET", "2.0/mlflow/registered-models/get-latest-versions", get_latest_versions),
    Route("POST", "2.0/mlflow/registered-models/set-tag", set_registered_model_tag),
    Route("DELETE", "2.0/mlflow/registered-models/delete-tag", delete_registered_model_tag),
]
