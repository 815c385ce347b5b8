"""Databricks' view of a model and of a version, and the direct change of a stage with a comment."""

from __future__ import annotations

from typing import Any

from apps.accounts.models import ObjectKind
from apps.core.actor import Actor, Level, Scope
from apps.core.errors import InvalidInput
from apps.core.mlflow.paging import MOST, next_page
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import Int64, Request
from apps.notifications.models import Choice, Subscription
from apps.registry import access, actions
from apps.registry.mlflow.databricks_levels import level_name
from apps.registry.mlflow.databricks_requests import requests_of
from apps.registry.mlflow.databricks_shapes import Json, open_requests
from apps.registry.mlflow.shapes import show_model, show_models, show_version
from apps.registry.models import ModelVersion, RegisteredModel
from apps.registry.search.models import search_models
from apps.registry.stages import Stage

_MOST_REQUESTS = 100
_SUBSCRIBED = {Choice.ALL.value: "ALL_EVENTS", Choice.DEFAULT.value: "DEFAULT", Choice.NONE.value: "UNSUBSCRIBED"}


class NamedModel(Request):
    required = ("name",)
    name: str = ""


class ListModels(Request):
    max_results: Int64 = 100
    page_token: str = ""


class TransitionStage(Request):
    required = ("name", "version", "stage", "archive_existing_versions")
    name: str = ""
    version: str | int = ""
    stage: str = ""
    archive_existing_versions: bool | None = None
    comment: str = ""


@endpoint(Scope.REGISTRY, reads=True)
def get_databricks_model(actor: Actor, request: NamedModel) -> Any:
    return {"registered_model_databricks": model_json(actor, access.get_model(actor, request.name))}


@endpoint(Scope.REGISTRY, reads=True)
def list_registered_models(actor: Actor, request: ListModels) -> Any:
    if not 1 <= request.max_results <= MOST:
        raise InvalidInput(f"Parameter 'max_results' must be from 1 to {MOST}.")
    page = search_models(actor, text="", order_by=[], max_results=request.max_results, page_token=request.page_token)
    return {"registered_models": show_models(page.items)} | next_page(page)


@endpoint(Scope.REGISTRY)
def transition_databricks_stage(actor: Actor, request: TransitionStage) -> Any:
    version = access.get_version(actor, request.name, request.version)
    stage = Stage.parse(request.stage)
    if version.stage == stage:
        raise InvalidInput(f"Model version {version.number} of '{version.model.name}' is in stage '{stage}' already.")
    moved = actions.move_version(
        actor,
        version=version,
        stage=stage,
        archive_existing=bool(request.archive_existing_versions),
        comment=request.comment,
    )
    return {"model_version_databricks": version_json(actor, moved)}


def model_json(actor: Actor, model: RegisteredModel) -> Json:
    """A model with its id, which is that of its permission object, and the viewer's level."""
    shown = show_model(model)
    shown["latest_versions"] = [_without_aliases(version) for version in shown.get("latest_versions", [])]
    owner = {"user_id": model.owner.username} if model.owner else {}
    return shown | owner | {"id": str(model.pk), "permission_level": level_name(level_shown(actor, model))}


def version_json(actor: Actor, version: ModelVersion) -> Json:
    """A version with the open requests about its stage and the viewer's level and subscription."""
    requests = list(requests_of(version).order_by("pk")[:_MOST_REQUESTS])
    return show_version(version) | {
        "open_requests": open_requests(actor, requests),
        "permission_level": level_name(level_shown(actor, version.model)),
        "email_subscription_status": _subscription(actor, version.model),
        "feature_list": {"features": []},
    }


def level_shown(actor: Actor, model: RegisteredModel) -> Level:
    """The level by role and grant. Who made a model manages it all the same, but has no more right over its stages,
    and clients read CAN_MANAGE as that.
    """
    return access.stage_level(actor, model)


def _without_aliases(version: Json) -> Json:
    return {name: value for name, value in version.items() if name != "aliases"}


def _subscription(actor: Actor, model: RegisteredModel) -> str:
    own = Subscription.objects.filter(user=actor.user_id, kind=ObjectKind.REGISTERED_MODEL, object_id=model.pk)
    return _SUBSCRIBED[own.values_list("choice", flat=True).first() or Choice.DEFAULT.value]


ROUTES = [
    Route("GET", "2.0/mlflow/databricks/registered-models/get", get_databricks_model),
    Route("GET", "2.0/mlflow/registered-models/list", list_registered_models),
    Route("POST", "2.0/mlflow/databricks/model-versions/transition-stage", transition_databricks_stage),
]
