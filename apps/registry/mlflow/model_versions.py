from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import orjson

from apps.core.actor import Actor, Level, Scope
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import Int64, Request, check_most
from apps.experiments.mlflow.shapes import Tag, pairs
from apps.experiments.search.ordering import check_max_results
from apps.registry import access, actions, rendering
from apps.registry.mlflow.shapes import show_versions
from apps.registry.models import ModelVersion
from apps.registry.search.versions import search_versions as search

MAX_RESULTS = 200_000
DEFAULT_RESULTS = 10_000


class CreateVersion(Request):
    required: ClassVar[tuple[str, ...]] = ("name", "source")
    name: str = ""
    source: str = ""
    run_id: str = ""
    tags: list[Tag] = []
    run_link: str = ""
    description: str = ""
    model_id: str = ""


class VersionRequest(Request):
    required: ClassVar[tuple[str, ...]] = ("name", "version")
    name: str = ""
    version: str | int = ""


class DescribeVersion(VersionRequest):
    description: str = ""


class VersionTagRequest(VersionRequest):
    required: ClassVar[tuple[str, ...]] = ("name", "version", "key")
    key: str = ""


class SetVersionTag(VersionTagRequest):
    value: str = ""


class TransitionStage(VersionRequest):
    required: ClassVar[tuple[str, ...]] = ("name", "version", "stage")
    stage: str = ""
    archive_existing_versions: bool = False
    # Not of the protocol: why, where a policy wants to hear it.
    comment: str = ""


class SearchVersions(Request):
    filter: str = ""
    max_results: Int64 = DEFAULT_RESULTS
    order_by: list[str] = []
    page_token: str = ""


@endpoint(Scope.REGISTRY, by_runs=True)
def create_model_version(actor: Actor, request: CreateVersion) -> Any:
    version = actions.create_version(
        actor,
        model=access.get_model(actor, request.name, Level.EDIT),
        source=request.source,
        run_id=request.run_id,
        run_link=request.run_link,
        description=request.description,
        tags=pairs(request.tags),
        model_id=request.model_id,
    )
    return _answer(version)


@endpoint(Scope.REGISTRY, reads=True, by_runs=True)
def get_model_version(actor: Actor, request: VersionRequest) -> Any:
    rendered = rendering.version_of(actor, request.name, access.parse_number(request.version))
    if rendered is not None:
        return b'{"model_version":' + rendered + b"}"
    return _answer(access.get_version(actor, request.name, request.version))


@endpoint(Scope.REGISTRY, by_runs=True)
def update_model_version(actor: Actor, request: DescribeVersion) -> Any:
    version = access.get_version(actor, request.name, request.version, Level.EDIT)
    actions.describe_version(actor, version=version, description=request.description)
    return _answer(version)


@endpoint(Scope.REGISTRY)
def delete_model_version(actor: Actor, request: VersionRequest) -> Any:
    version = access.get_version(actor, request.name, request.version, Level.EDIT)
    actions.delete_version(actor, version=version)
    return {}


@endpoint(Scope.REGISTRY, reads=True, by_runs=True)
def get_model_version_download_uri(actor: Actor, request: VersionRequest) -> Any:
    folder = rendering.folder_of(actor, request.name, access.parse_number(request.version))
    if folder is None:
        version = access.get_version(actor, request.name, request.version)
        folder = version.folder or version.source
    return {"artifact_uri": folder}


@endpoint(Scope.REGISTRY, by_runs=True)
def set_model_version_tag(actor: Actor, request: SetVersionTag) -> Any:
    version = access.get_version(actor, request.name, request.version, Level.EDIT)
    actions.set_version_tag(actor, version=version, key=request.key, value=request.value)
    return {}


@endpoint(Scope.REGISTRY)
def delete_model_version_tag(actor: Actor, request: VersionTagRequest) -> Any:
    version = access.get_version(actor, request.name, request.version, Level.EDIT)
    actions.delete_version_tag(actor, version=version, key=request.key)
    return {}


@endpoint(Scope.REGISTRY)
def transition_model_version_stage(actor: Actor, request: TransitionStage) -> Any:
    version = actions.move_version(
        actor,
        version=access.get_version(actor, request.name, request.version),
        stage=request.stage,
        archive_existing=request.archive_existing_versions,
        comment=request.comment,
    )
    return _answer(version)


@endpoint(Scope.REGISTRY, reads=True, by_runs=True)
def search_model_versions(actor: Actor, request: SearchVersions) -> Any:
    check_most("max_results", request.max_results, MAX_RESULTS)
    page = search(
        actor,
        text=request.filter,
        order_by=request.order_by,
        max_results=check_max_results(request.max_results, MAX_RESULTS),
        page_token=request.page_token,
    )
    if not page.items:
        return {}
    versions = b",".join(_shown(page.items))
    token = b',"next_page_token":' + orjson.dumps(page.next_token) if page.next_token else b""
    return b'{"model_versions":[' + versions + b"]" + token + b"}"


def _answer(version: ModelVersion) -> bytes:
    return b'{"model_version":' + _shown([version.pk])[0] + b"}"


def _shown(keys: Sequence[int]) -> list[bytes]:
    return rendering.versions(keys) if rendering.is_fast() else [orjson.dumps(each) for each in show_versions(keys)]


ROUTES = [
    Route("POST", "2.0/mlflow/model-versions/create", create_model_version),
    Route("GET", "2.0/mlflow/model-versions/get", get_model_version),
    Route("PATCH", "2.0/mlflow/model-versions/update", update_model_version),
    Route("DELETE", "2.0/mlflow/model-versions/delete", delete_model_version),
    Route("GET", "2.0/mlflow/model-versions/search", search_model_versions),
    Route("GET", "2.0/mlflow/model-versions/get-download-uri", get_model_version_download_uri),
    Route("POST", "2.0/mlflow/model-versions/transition-stage", transition_model_version_stage),
    Route("POST", "2.0/mlflow/model-versions/set-tag", set_model_version_tag),
    Route("DELETE", "2.0/mlflow/model-versions/delete-tag", delete_model_version_tag),
]
