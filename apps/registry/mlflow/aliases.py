from __future__ import annotations

from typing import Any, ClassVar

from apps.core.actor import Actor, Scope
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import Request
from apps.registry import access, actions, rendering
from apps.registry.mlflow.shapes import show_version
from apps.registry.names import check_alias
from apps.registry.references import by_alias


class AliasRequest(Request):
    required: ClassVar[tuple[str, ...]] = ("name", "alias")
    name: str = ""
    alias: str = ""
    # Not of the protocol: why, where a policy wants to hear it.
    reason: str = ""


class SetAlias(AliasRequest):
    required: ClassVar[tuple[str, ...]] = ("name", "alias", "version")
    version: str | int = ""


@endpoint(Scope.REGISTRY)
def set_registered_model_alias(actor: Actor, request: SetAlias) -> Any:
    check_alias(request.alias)
    version = access.get_version(actor, request.name, request.version)
    actions.set_alias(actor, model=version.model, alias=request.alias, version=version, reason=request.reason)
    return {}


@endpoint(Scope.REGISTRY)
def delete_registered_model_alias(actor: Actor, request: AliasRequest) -> Any:
    model = access.get_model(actor, request.name)
    actions.delete_alias(actor, model=model, alias=request.alias, reason=request.reason)
    return {}


@endpoint(Scope.REGISTRY, reads=True, by_runs=True)
def get_model_version_by_alias(actor: Actor, request: AliasRequest) -> Any:
    rendered = rendering.version_at(actor, request.name, request.alias)
    if rendered is not None:
        return b'{"model_version":' + rendered + b"}"
    model = access.get_model(actor, request.name)
    return {"model_version": show_version(by_alias(model, request.alias))}


ROUTES = [
    Route("POST", "2.0/mlflow/registered-models/alias", set_registered_model_alias),
    Route("DELETE", "2.0/mlflow/registered-models/alias", delete_registered_model_alias),
    Route("GET", "2.0/mlflow/registered-models/alias", get_model_version_by_alias),
]
