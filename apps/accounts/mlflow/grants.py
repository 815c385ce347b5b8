"""Rights of one person on one object; what older clients ask for is in `legacy_grants`."""

from __future__ import annotations

from typing import Any, ClassVar

from apps.accounts import access, actions, selectors
from apps.accounts.kinds import Target, kind_of
from apps.accounts.mlflow.shapes import (
    Json,
    parse_permission,
    parse_resource,
    permission_name,
    role_permissions,
)
from apps.accounts.models import User
from apps.core.actor import Actor, Level, Role
from apps.core.errors import DomainError, EndpointNotFound, InvalidInput, NotFound, PermissionDenied
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import Request


class UserPermission(Request):
    required: ClassVar[tuple[str, ...]] = ("username", "resource_type", "resource_id")
    username: str = ""
    resource_type: str = ""
    resource_id: str = ""


class GivenUserPermission(UserPermission):
    required: ClassVar[tuple[str, ...]] = ("username", "resource_type", "resource_id", "permission")
    permission: str = ""


class NamedUser(Request):
    required: ClassVar[tuple[str, ...]] = ("username",)
    username: str = ""


class NoFields(Request):
    pass


@endpoint(None)
def grant_user_permission(actor: Actor, request: GivenUserPermission) -> Any:
    level = parse_permission(request.permission)
    if level is Level.NONE:
        raise InvalidInput("Invalid permission 'NO_PERMISSIONS' for a grant: revoke it instead.")
    target = _find(actor, request, Level.MANAGE)
    set_level(actor, target, access.find_person(actor, request.username), level)
    return {}


@endpoint(None)
def revoke_user_permission(actor: Actor, request: UserPermission) -> Any:
    target = _find(actor, request, Level.MANAGE)
    user = access.find_holder(target, request.username)
    if not actions.revoke_grant(actor, target=target, to=user):
        refuse_to_lower(user, target, Level.NONE)
        named = f"resource_type={request.resource_type}, resource_id={request.resource_id}"
        raise NotFound(f"Permission for username={request.username}, {named} not found.")
    return {}


@endpoint(None, reads=True)
def get_user_permission(actor: Actor, request: UserPermission) -> Any:
    own = request.username == actor.username
    try:
        target = _find(actor, request, Level.READ if own or actor.is_admin else Level.MANAGE)
    except (NotFound, PermissionDenied) as error:
        return _nothing(actor, request, error)
    user = access.find_person(actor, request.username)
    level = selectors.level_of_person(user, target)
    return {"allowed": level >= Level.READ, "permission": permission_name(level)}


@endpoint(None, reads=True)
def list_current_user_permissions(actor: Actor, request: NoFields) -> Any:
    return _permissions_of(access.get_account(actor, actor.username))


@endpoint(None, reads=True)
def list_user_permissions(actor: Actor, request: NamedUser) -> Any:
    return _permissions_of(access.get_account(actor, request.username))


def _find(actor: Actor, request: UserPermission, level: Level) -> Target:
    kind = parse_resource(request.resource_type)
    try:
        return kind_of(kind).find(actor, request.resource_id, level)
    except EndpointNotFound as error:
        raise InvalidInput(f"This server has no objects of the type '{request.resource_type}' yet.") from error


def set_level(actor: Actor, target: Target, user: User, level: Level) -> None:
    """Grant a level, or take the grant back for none. Raises `InvalidInput` for less than a role gives."""
    refuse_to_lower(user, target, level)
    if level is Level.NONE:
        actions.revoke_grant(actor, target=target, to=user)
    else:
        actions.give_grant(actor, target=target, to=user, level=level)


def refuse_to_lower(user: User, target: Target, level: Level) -> None:
    """Raise `InvalidInput` where a role gives more than `level`: a grant adds and never takes away."""
    by_role = selectors.level_by_role(user, target)
    if level < by_role:
        given = f"{user.username} has {by_role.name} by role in the workspace {target.team_name}"
        raise InvalidInput(f"{given}: a grant can't take that away. Change the role instead.")


def _nothing(actor: Actor, request: UserPermission, error: DomainError) -> Json:
    """An object that nobody knows gives nobody anything; what others may do is told to who manages the object."""
    if isinstance(error, PermissionDenied):
        raise error
    access.get_account(actor, request.username)
    return {"allowed": False, "permission": permission_name(Level.NONE)}


def _permissions_of(user: User) -> Json:
    by_role = [
        {**_without_id(row), "role_name": membership.role, "workspace": membership.team.name}
        for membership in user.memberships.select_related("team")
        for row in role_permissions(membership.team_id, Role(membership.role))
    ]
    granted = [
        {
            "role_id": 0,
            "role_name": f"__user_{user.pk}__",
            "workspace": target.team_name,
            "resource_type": target.kind.value,
            "resource_pattern": target.reference,
            "permission": permission_name(Level(grant.level)),
        }
        for grant, target in selectors.grants_held_by_person(user)
    ]
    return {"is_admin": user.is_superuser, "permissions": by_role + granted}


def _without_id(row: Json) -> Json:
    return {name: value for name, value in row.items() if name != "id"}


ROUTES = [
    Route("POST", "3.0/mlflow/users/permissions/grant", grant_user_permission),
    Route("POST", "3.0/mlflow/users/permissions/revoke", revoke_user_permission),
    Route("GET", "3.0/mlflow/users/permissions/get", get_user_permission),
    Route("GET", "3.0/mlflow/users/permissions/list", list_user_permissions),
    Route("GET", "3.0/mlflow/users/current/permissions", list_current_user_permissions),
]
