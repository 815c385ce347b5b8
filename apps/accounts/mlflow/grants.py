"""Rights of one person on one object: the routes of older clients, one set for each kind, and the newer ones."""

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
from apps.accounts.models import ObjectKind, User
from apps.core.actor import Actor, Level, Role
from apps.core.errors import AlreadyExists, DomainError, EndpointNotFound, InvalidInput, NotFound, PermissionDenied
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import Request


class ExperimentPermission(Request):
    required: ClassVar[tuple[str, ...]] = ("experiment_id", "username")
    experiment_id: str = ""
    username: str = ""


class GivenExperimentPermission(ExperimentPermission):
    required: ClassVar[tuple[str, ...]] = ("experiment_id", "username", "permission")
    permission: str = ""


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
def create_experiment_permission(actor: Actor, request: GivenExperimentPermission) -> Any:
    level = parse_permission(request.permission)
    target, user = _experiment_and_person(actor, request)
    if any(grant.user_id == user.pk for grant in selectors.grants_on(target)):
        named = f"experiment_id={request.experiment_id}, username={request.username}"
        raise AlreadyExists(f"Experiment permission ({named}) already exists.")
    _set_level(actor, target, user, level)
    return _experiment_permission(target, user)


@endpoint(None, reads=True)
def get_experiment_permission(actor: Actor, request: ExperimentPermission) -> Any:
    target, user = _experiment_and_person(actor, request)
    if selectors.level_of_person(user, target) is Level.NONE:
        raise _not_found(request)
    return _experiment_permission(target, user)


@endpoint(None)
def update_experiment_permission(actor: Actor, request: GivenExperimentPermission) -> Any:
    level = parse_permission(request.permission)
    target, user = _experiment_and_person(actor, request)
    if selectors.level_of_person(user, target) is Level.NONE:
        raise _not_found(request)
    _set_level(actor, target, user, level)
    return {}


@endpoint(None)
def delete_experiment_permission(actor: Actor, request: ExperimentPermission) -> Any:
    target = _experiment(actor, request)
    user = access.find_holder(target, request.username)
    if actions.revoke_grant(actor, target=target, to=user):
        return {}
    _refuse_to_lower(user, target, Level.NONE)
    raise _not_found(request)


@endpoint(None)
def grant_user_permission(actor: Actor, request: GivenUserPermission) -> Any:
    level = parse_permission(request.permission)
    if level is Level.NONE:
        raise InvalidInput("Invalid permission 'NO_PERMISSIONS' for a grant: revoke it instead.")
    target = _find(actor, request, Level.MANAGE)
    _set_level(actor, target, access.find_person(actor, request.username), level)
    return {}


@endpoint(None)
def revoke_user_permission(actor: Actor, request: UserPermission) -> Any:
    target = _find(actor, request, Level.MANAGE)
    user = access.find_holder(target, request.username)
    if not actions.revoke_grant(actor, target=target, to=user):
        _refuse_to_lower(user, target, Level.NONE)
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


def _experiment_and_person(actor: Actor, request: ExperimentPermission) -> tuple[Target, User]:
    return _experiment(actor, request), access.find_person(actor, request.username)


def _experiment(actor: Actor, request: ExperimentPermission) -> Target:
    return kind_of(ObjectKind.EXPERIMENT).find(actor, request.experiment_id, Level.MANAGE)


def _find(actor: Actor, request: UserPermission, level: Level) -> Target:
    kind = parse_resource(request.resource_type)
    try:
        return kind_of(kind).find(actor, request.resource_id, level)
    except EndpointNotFound as error:
        raise InvalidInput(f"This server has no objects of the type '{request.resource_type}' yet.") from error


def _set_level(actor: Actor, target: Target, user: User, level: Level) -> None:
    _refuse_to_lower(user, target, level)
    if level is Level.NONE:
        actions.revoke_grant(actor, target=target, to=user)
    else:
        actions.give_grant(actor, target=target, to=user, level=level)


def _refuse_to_lower(user: User, target: Target, level: Level) -> None:
    by_role = selectors.level_by_role(user, target)
    if level < by_role:
        given = f"{user.username} has {by_role.name} by role in the workspace {target.team_name}"
        raise InvalidInput(f"{given}: a grant can't take that away. Change the role instead.")


def _experiment_permission(target: Target, user: User) -> Json:
    permission = permission_name(selectors.level_of_person(user, target))
    shown = {"experiment_id": target.reference, "user_id": user.pk, "permission": permission}
    return {"experiment_permission": shown}


def _not_found(request: ExperimentPermission) -> NotFound:
    named = f"experiment_id={request.experiment_id} and username={request.username}"
    return NotFound(f"Experiment permission with {named} not found")


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
    Route("POST", "2.0/mlflow/experiments/permissions/create", create_experiment_permission),
    Route("GET", "2.0/mlflow/experiments/permissions/get", get_experiment_permission),
    Route("PATCH", "2.0/mlflow/experiments/permissions/update", update_experiment_permission),
    Route("DELETE", "2.0/mlflow/experiments/permissions/delete", delete_experiment_permission),
    Route("POST", "3.0/mlflow/users/permissions/grant", grant_user_permission),
    Route("POST", "3.0/mlflow/users/permissions/revoke", revoke_user_permission),
    Route("GET", "3.0/mlflow/users/permissions/get", get_user_permission),
    Route("GET", "3.0/mlflow/users/permissions/list", list_user_permissions),
    Route("GET", "3.0/mlflow/users/current/permissions", list_current_user_permissions),
]
