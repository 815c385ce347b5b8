from __future__ import annotations

from typing import Any

from apps.accounts import access, actions, selectors
from apps.accounts.mlflow.shapes import Json, permission_name, role_json, user_json
from apps.accounts.models import ObjectKind, User
from apps.accounts.passwords import find_by_password
from apps.core.actor import Actor, Level, Role, Via
from apps.core.errors import InvalidInput
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import Request


class NoFields(Request):
    pass


class NamedUser(Request):
    required = ("username",)
    username: str = ""


class CreateUser(Request):
    username: str = ""
    password: str = ""


class UpdatePassword(Request):
    required = ("username", "password")
    username: str = ""
    password: str = ""
    current_password: str = ""


class UpdateAdmin(Request):
    required = ("username", "is_admin")
    username: str = ""
    is_admin: bool | None = None


@endpoint(None)
def create_user(actor: Actor, request: CreateUser) -> Any:
    access.require_admin(actor)
    if not request.username or not request.password:
        raise InvalidInput("Username and password cannot be empty.")
    user = actions.create_user(actor, username=request.username, password=request.password)
    return {"user": _with_permissions(user)}


@endpoint(None, reads=True)
def get_user(actor: Actor, request: NamedUser) -> Any:
    return {"user": _with_permissions(access.get_account(actor, request.username))}


@endpoint(None, reads=True, any_token=True)
def get_current_user(actor: Actor, request: NoFields) -> Any:
    user = {"id": actor.user_id, "username": actor.username, "is_admin": actor.is_admin}
    return {"user": user, "is_basic_auth": actor.via in (Via.PASSWORD, Via.TOKEN)}


@endpoint(None, reads=True)
def list_users(actor: Actor, request: NoFields) -> Any:
    people = User.objects.visible_to(actor).prefetch_related("memberships__team")
    return {"users": [{**user_json(user), "roles": _visible_roles(actor, user)} for user in people]}


@endpoint(None)
def update_password(actor: Actor, request: UpdatePassword) -> Any:
    user = access.get_account(actor, request.username)
    if user.pk == actor.user_id and actor.via is not Via.PASSWORD:
        _prove(user, request)
    actions.change_password(actor, user=user, password=request.password)
    return {}


@endpoint(None)
def update_admin(actor: Actor, request: UpdateAdmin) -> Any:
    access.require_admin(actor)
    user = access.get_user(actor, request.username)
    actions.set_admin(actor, user=user, is_admin=bool(request.is_admin))
    return {}


@endpoint(None)
def delete_user(actor: Actor, request: NamedUser) -> Any:
    access.require_admin(actor)
    actions.delete_user(actor, user=access.get_user(actor, request.username))
    return {}


def _prove(user: User, request: UpdatePassword) -> None:
    """A stolen token or an open browser must not be enough to take the account over."""
    if not request.current_password:
        raise InvalidInput("Current password is required when changing your own password.")
    if find_by_password(user.username, request.current_password) is None:
        raise InvalidInput("Current password does not match.")
    if request.password == request.current_password:
        raise InvalidInput("New password must differ from the current password.")


def _with_permissions(user: User) -> Json:
    granted = [(target, permission_name(Level(grant.level))) for grant, target in selectors.grants_held_by_person(user)]
    return {
        **user_json(user),
        "experiment_permissions": [
            {"experiment_id": target.reference, "user_id": user.pk, "permission": permission}
            for target, permission in granted
            if target.kind is ObjectKind.EXPERIMENT
        ],
        "registered_model_permissions": [
            {"name": target.reference, "user_id": user.pk, "permission": permission, "workspace": target.team_name}
            for target, permission in granted
            if target.kind is ObjectKind.REGISTERED_MODEL
        ],
    }


def _visible_roles(actor: Actor, user: User) -> list[Json]:
    """All of one's own and for administrators; else those in teams that the actor is in."""
    return [
        role_json(membership.team, Role(membership.role))
        for membership in user.memberships.all()
        if user.pk == actor.user_id or actor.role_in(membership.team_id) is not None
    ]


ROUTES = [
    Route("POST", "2.0/mlflow/users/create", create_user),
    Route("GET", "2.0/mlflow/users/get", get_user),
    Route("GET", "2.0/mlflow/users/current", get_current_user),
    Route("GET", "2.0/mlflow/users/list", list_users),
    Route("PATCH", "2.0/mlflow/users/update-password", update_password),
    Route("PATCH", "2.0/mlflow/users/update-admin", update_admin),
    Route("DELETE", "2.0/mlflow/users/delete", delete_user),
]
