from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from apps.accounts import access, actions
from apps.accounts.mlflow.shapes import workspace_json
from apps.accounts.models import DEFAULT_TEAM, Team
from apps.core.actor import Actor, Role
from apps.core.errors import InvalidInput
from apps.core.http import json_response
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import Request

_MODES = ("SET_DEFAULT", "CASCADE", "RESTRICT")


class ListWorkspaces(Request):
    pass


class NamedWorkspace(Request):
    required = ("workspace_name",)
    workspace_name: str = ""


class CreateWorkspace(Request):
    required = ("name",)
    name: str = ""
    description: str = ""
    default_artifact_root: str = ""
    trace_archival_config: dict[str, Any] = {}


class UpdateWorkspace(NamedWorkspace):
    description: str | None = None
    default_artifact_root: str = ""
    trace_archival_config: dict[str, Any] = {}


class DeleteWorkspace(NamedWorkspace):
    mode: str = "RESTRICT"


@endpoint(None, reads=True)
def list_workspaces(actor: Actor, request: ListWorkspaces) -> Any:
    return {"workspaces": [workspace_json(team) for team in Team.objects.visible_to(actor)]}


@endpoint(None)
def create_workspace(actor: Actor, request: CreateWorkspace) -> Any:
    access.require_admin(actor)
    if request.name == DEFAULT_TEAM:
        raise InvalidInput(f"The '{DEFAULT_TEAM}' workspace is reserved and cannot be created")
    _refuse_what_is_not_offered(request)
    team = actions.create_team(actor, name=request.name, description=request.description)
    return json_response({"workspace": workspace_json(team)}, 201)


@endpoint(None, reads=True)
def get_workspace(actor: Actor, request: NamedWorkspace) -> Any:
    return {"workspace": workspace_json(access.get_team(actor, request.workspace_name))}


@endpoint(None)
def update_workspace(actor: Actor, request: UpdateWorkspace) -> Any:
    team = access.get_team(actor, request.workspace_name, Role.ADMIN)
    _refuse_what_is_not_offered(request)
    if request.description is None:
        raise InvalidInput("Workspace update must have at least one key")
    actions.describe_team(actor, team=team, description=request.description)
    return {"workspace": workspace_json(team)}


@endpoint(None)
def delete_workspace(actor: Actor, request: DeleteWorkspace) -> Any:
    team = access.get_team(actor, request.workspace_name)
    access.require_admin(actor)
    if request.mode not in _MODES:
        raise InvalidInput(f"Invalid deletion mode '{request.mode}'. Must be one of: {', '.join(_MODES)}")
    if request.mode != "RESTRICT":
        raise InvalidInput(f"Deletion mode '{request.mode}' is not offered: empty the workspace first, then delete it.")
    actions.delete_team(actor, team=team)
    return HttpResponse(status=204)


def _refuse_what_is_not_offered(request: CreateWorkspace | UpdateWorkspace) -> None:
    if request.default_artifact_root:
        raise InvalidInput("A workspace has no artifact root of its own: all of them use the server's store.")
    if any(request.trace_archival_config.values()):
        raise InvalidInput("Traces are not archived by this server.")


ROUTES = [
    Route("GET", "3.0/mlflow/workspaces", list_workspaces),
    Route("POST", "3.0/mlflow/workspaces", create_workspace),
    Route("GET", "3.0/mlflow/workspaces/{workspace_name}", get_workspace),
    Route("PATCH", "3.0/mlflow/workspaces/{workspace_name}", update_workspace),
    Route("DELETE", "3.0/mlflow/workspaces/{workspace_name}", delete_workspace),
]
