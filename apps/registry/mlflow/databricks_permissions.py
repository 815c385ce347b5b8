"""Who may do what with a registered model, as Databricks' permission routes show and set it.

An entry's own permission is a grant on the model. What comes from roles in the team, from having made the model and
from administering the site is shown as inherited; these routes change none of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from apps.accounts import access as accounts_access
from apps.accounts import actions as accounts_actions
from apps.accounts.kinds import Target, kind_of
from apps.accounts.models import ObjectKind, Team, User
from apps.accounts.selectors import Reason, reasons_for
from apps.core.actor import Actor, Level
from apps.core.errors import InvalidInput, NotFound
from apps.core.keys import parse_key
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import Request
from apps.registry.mlflow.databricks_levels import described_levels, level_name, parse_level

Json = dict[str, Any]
MAX_ENTRIES = 100


class NumberedModel(Request):
    required = ("registered_model_id",)
    registered_model_id: str = ""


class Entry(msgspec.Struct):
    user_name: str = ""
    group_name: str = ""
    service_principal_name: str = ""
    permission_level: str = ""


class SetPermissions(NumberedModel):
    access_control_list: list[Entry] = []


@endpoint(None, reads=True)
def get_permission_levels(actor: Actor, request: NumberedModel) -> Any:
    _find(actor, request, Level.READ)
    return {"permission_levels": described_levels()}


@endpoint(None, reads=True)
def get_permissions(actor: Actor, request: NumberedModel) -> Any:
    return _permissions(actor, _find(actor, request, Level.MANAGE))


@endpoint(None)
def replace_permissions(actor: Actor, request: SetPermissions) -> Any:
    return _set(actor, request, replaces=True)


@endpoint(None)
def merge_permissions(actor: Actor, request: SetPermissions) -> Any:
    return _set(actor, request, replaces=False)


def _set(actor: Actor, request: SetPermissions, *, replaces: bool) -> Json:
    target = _find(actor, request, Level.MANAGE)
    levels = _wanted(actor, request.access_control_list)
    accounts_actions.set_grants(actor, target=target, levels=levels, replaces=replaces)
    return _permissions(actor, target)


def _find(actor: Actor, request: NumberedModel, level: Level) -> Target:
    written = request.registered_model_id
    if written == "root":
        raise InvalidInput("Rights on all registered models come from roles in their team: use roles/assign.")
    key = parse_key(written)
    if key is None:
        raise NotFound(f"Registered Model with id={written[:100]} not found")
    kind = kind_of(ObjectKind.REGISTERED_MODEL)
    return kind.find(actor, kind.key_of(key), level)


def _wanted(actor: Actor, entries: list[Entry]) -> Mapping[User | Team, Level]:
    """The holders that a list names, with their levels. Three statements for any number."""
    if len(entries) > MAX_ENTRIES:
        raise InvalidInput(f"'access_control_list' has at most {MAX_ENTRIES} entries.")
    for entry in entries:
        _check(entry)
    people = accounts_access.find_people(actor, {name for entry in entries if (name := _person(entry))})
    teams = accounts_access.find_teams(actor, {entry.group_name for entry in entries if entry.group_name})
    wanted: dict[User | Team, Level] = {}
    for entry in entries:
        holder = teams[entry.group_name] if entry.group_name else _of_kind(people[_person(entry)], entry)
        if holder in wanted:
            raise InvalidInput(f"'access_control_list' names {holder} twice.")
        wanted[holder] = parse_level(entry.permission_level)
    return wanted


def _check(entry: Entry) -> None:
    if sum(map(bool, (entry.user_name, entry.group_name, entry.service_principal_name))) != 1:
        raise InvalidInput("Each entry names one of user_name, group_name and service_principal_name.")
    parse_level(entry.permission_level)


def _person(entry: Entry) -> str:
    return entry.user_name or entry.service_principal_name


def _of_kind(user: User, entry: Entry) -> User:
    if entry.service_principal_name and not user.is_service:
        raise NotFound(f"Service account with name={user.username} not found")
    return user


def _permissions(actor: Actor, target: Target) -> Json:
    """Everybody who may see the model, each with all reasons. Four statements."""
    reasons = reasons_for(actor, target)
    names = [reason.holder for reason in reasons if not reason.is_team]
    people = {user.username: user for user in User.objects.filter(username__in=names)}
    entries: dict[tuple[bool, str], list[Json]] = {}
    for reason in reasons:
        entries.setdefault((reason.is_team, reason.holder), []).append(_permission(reason, target))
    listed = [
        (_group(name) if is_team else _account(people[name])) | {"all_permissions": permissions}
        for (is_team, name), permissions in entries.items()
    ]
    shown = {"object_id": f"/registered-models/{target.object_id}", "object_type": "registered-model"}
    return shown | {"access_control_list": listed}


def _group(name: str) -> Json:
    return {"group_name": name, "display_name": name}


def _account(user: User) -> Json:
    name = "service_principal_name" if user.is_service else "user_name"
    return {name: user.username, "display_name": user.display_name}


def _permission(reason: Reason, target: Target) -> Json:
    shown = {"permission_level": level_name(reason.level), "inherited": reason.why != "grant"}
    sources: dict[str, list[str]] = {"grant": [], "owner": ["owner"], "administrator": ["/"]}
    return shown | {"inherited_from_object": sources.get(reason.why, [f"/workspaces/{target.team_name}"])}


ROUTES = [
    Route("GET", "2.0/permissions/registered-models/{registered_model_id}", get_permissions),
    Route("PUT", "2.0/permissions/registered-models/{registered_model_id}", replace_permissions),
    Route("PATCH", "2.0/permissions/registered-models/{registered_model_id}", merge_permissions),
    Route("GET", "2.0/permissions/registered-models/{registered_model_id}/permissionLevels", get_permission_levels),
]
