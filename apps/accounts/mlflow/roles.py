"""The four roles of a team as roles of its workspace. They can be looked at, given and taken, and not be changed."""

from __future__ import annotations

from typing import Any

from apps.accounts import access, actions
from apps.accounts.mlflow.shapes import parse_role_id, role_id, role_json, role_permissions
from apps.accounts.models import Membership, Team
from apps.core.actor import Actor, Role
from apps.core.errors import AlreadyExists, InvalidInput, NotFound
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import Request

_FIXED = "The roles of this server are fixed: viewer, member, maintainer and admin in each workspace."


class AnyFields(Request):
    pass


class NumberedRole(Request):
    required = ("role_id",)
    role_id: int | None = None


class ListRoles(Request):
    workspace: list[str] = []


class NamedUser(Request):
    required = ("username",)
    username: str = ""


class Assignment(Request):
    required = ("username", "role_id")
    username: str = ""
    role_id: int | None = None


@endpoint(None, reads=True)
def get_role(actor: Actor, request: NumberedRole) -> Any:
    return {"role": role_json(*_find(actor, request.role_id))}


@endpoint(None, reads=True)
def list_roles(actor: Actor, request: ListRoles) -> Any:
    if request.workspace:
        teams = [access.get_team(actor, name) for name in dict.fromkeys(request.workspace[:100])]
    else:
        access.require_admin(actor)
        teams = list(Team.objects.visible_to(actor))
    return {"roles": [role_json(team, role) for team in teams for role in Role]}


@endpoint(None, reads=True)
def list_role_permissions(actor: Actor, request: NumberedRole) -> Any:
    team, role = _find(actor, request.role_id)
    return {"role_permissions": role_permissions(team.pk, role)}


@endpoint(None, reads=True)
def list_role_users(actor: Actor, request: NumberedRole) -> Any:
    team, role = _find(actor, request.role_id)
    return {"assignments": [_assignment(row) for row in team.memberships.filter(role=role).order_by("pk")]}


@endpoint(None, reads=True)
def list_user_roles(actor: Actor, request: NamedUser) -> Any:
    user = access.get_user(actor, request.username)
    rows = user.memberships.select_related("team").order_by("team__name")
    shown = [row for row in rows if user.pk == actor.user_id or actor.role_in(row.team_id)]
    return {"roles": [role_json(row.team, Role(row.role)) for row in shown]}


@endpoint(None)
def assign_role(actor: Actor, request: Assignment) -> Any:
    team, role = _find(actor, request.role_id, Role.ADMIN)
    user = access.find_person(actor, request.username)
    current = team.memberships.filter(user=user).first()
    if current is None:
        return {"assignment": _assignment(actions.add_member(actor, team=team, user=user, role=role))}
    if current.role == role:
        named = f"user_id={user.pk}, role_id={request.role_id}"
        raise AlreadyExists(f"User role assignment ({named}) already exists")
    return {"assignment": _assignment(actions.set_role(actor, team=team, user=user, role=role))}


@endpoint(None)
def unassign_role(actor: Actor, request: Assignment) -> Any:
    team, role = _find(actor, request.role_id, Role.ADMIN)
    user = access.get_user(actor, request.username)
    if not team.memberships.filter(user=user, role=role).exists():
        named = f"user_id={user.pk}, role_id={request.role_id}"
        raise NotFound(f"User role assignment ({named}) not found")
    actions.remove_member(actor, team=team, user=user)
    return {}


@endpoint(None)
def change_roles(actor: Actor, request: AnyFields) -> Any:
    raise InvalidInput(_FIXED)


def _find(actor: Actor, number: int | None, needed: Role = Role.VIEWER) -> tuple[Team, Role]:
    team_id, role = parse_role_id(number or 0)
    missing = f"Role with id={number} not found"
    return access.get_team_by_id(actor, team_id, needed, missing=missing), role


def _assignment(membership: Membership) -> dict[str, int]:
    number = role_id(membership.team_id, Role(membership.role))
    return {"id": membership.pk, "user_id": membership.user_id, "role_id": number}


ROUTES = [
    Route("GET", "3.0/mlflow/roles/get", get_role),
    Route("GET", "3.0/mlflow/roles/list", list_roles),
    Route("GET", "3.0/mlflow/roles/permissions/list", list_role_permissions),
    Route("GET", "3.0/mlflow/roles/users/list", list_role_users),
    Route("GET", "3.0/mlflow/users/roles/list", list_user_roles),
    Route("POST", "3.0/mlflow/roles/assign", assign_role),
    Route("DELETE", "3.0/mlflow/roles/unassign", unassign_role),
    Route("POST", "3.0/mlflow/roles/create", change_roles),
    Route("PATCH", "3.0/mlflow/roles/update", change_roles),
    Route("DELETE", "3.0/mlflow/roles/delete", change_roles),
    Route("POST", "3.0/mlflow/roles/permissions/add", change_roles),
    Route("DELETE", "3.0/mlflow/roles/permissions/remove", change_roles),
    Route("PATCH", "3.0/mlflow/roles/permissions/update", change_roles),
]
