"""People, teams, roles and rights in the protocol's words, and back.

A team's four roles are shown as roles of its workspace, with numbers that are made of the team's; what somebody was
granted beyond them is shown as a role of their own, as the protocol's newer servers do it.
"""

from __future__ import annotations

from typing import Any

from apps.accounts.models import ObjectKind, Team, User
from apps.core.actor import Level, Role
from apps.core.errors import InvalidInput, NotFound

Json = dict[str, Any]

_ROLES = list(Role)
_ROLES_A_TEAM = 10
_RESOURCES = ("experiment", "registered_model")
_LEVELS = {"READ": Level.READ, "USE": Level.READ, "EDIT": Level.EDIT, "MANAGE": Level.MANAGE}
_NO_PERMISSIONS = "NO_PERMISSIONS"
_VALID = ("READ", "USE", "EDIT", "MANAGE", _NO_PERMISSIONS)


def workspace_json(team: Team) -> Json:
    """A team as a workspace."""
    return {"name": team.name, "description": team.description}


def user_json(user: User) -> Json:
    """A person without rights; `password_hash` is never shown, and clients write REDACTED for it."""
    return {"id": user.pk, "username": user.username, "is_admin": user.is_superuser}


def permission_name(level: Level) -> str:
    """A level in the protocol's words; who may move stages holds what is weaker there: EDIT."""
    known = [each for each in (Level.READ, Level.EDIT, Level.MANAGE) if each <= level]
    return known[-1].name if known else _NO_PERMISSIONS


def parse_permission(name: str) -> Level:
    """A level out of the protocol's words; USE is READ here, for there is nothing that one may only use."""
    if name == "DENY":
        raise InvalidInput("Invalid permission 'DENY': rights only add up on this server. Change the role instead.")
    if name not in _VALID:
        raise InvalidInput(f"Invalid permission '{name}'. Valid permissions are: {_VALID}")
    return _LEVELS.get(name, Level.NONE)


def parse_resource(name: str) -> ObjectKind:
    """The kind of object that a `resource_type` names; what has no counterpart here is refused."""
    if name == "workspace":
        raise InvalidInput("Rights in a whole workspace come from a role in it: use roles/assign.")
    if name not in _RESOURCES:
        raise InvalidInput(f"Invalid resource type '{name}'. Valid resource types on this server are: {_RESOURCES}")
    return ObjectKind(name)


def role_id(team_id: int, role: Role) -> int:
    """The number of a team's role."""
    return team_id * _ROLES_A_TEAM + _ROLES.index(role)


def parse_role_id(number: int) -> tuple[int, Role]:
    """The team's id and the role. Raises `NotFound`."""
    team_id, place = divmod(number, _ROLES_A_TEAM)
    if team_id < 1 or place >= len(_ROLES) or team_id >= 2**62:
        raise NotFound(f"Role with id={number} not found")
    return team_id, _ROLES[place]


def role_json(team: Team, role: Role) -> Json:
    """A team's role."""
    number = role_id(team.pk, role)
    return {
        "id": number,
        "name": role.value,
        "workspace": team.name,
        "description": _DESCRIPTIONS[role],
        "permissions": role_permissions(team.pk, role),
    }


def role_permissions(team_id: int, role: Role) -> list[Json]:
    """What a role gives, as grants on patterns."""
    number = role_id(team_id, role)
    rows = [(resource, role.level.name) for resource in _RESOURCES]
    if role is not Role.VIEWER:
        rows.append(("workspace", "MANAGE" if role is Role.ADMIN else "USE"))
    return [
        {
            "id": number * _ROLES_A_TEAM + place,
            "role_id": number,
            "resource_type": resource,
            "resource_pattern": "*",
            "permission": permission,
        }
        for place, (resource, permission) in enumerate(rows)
    ]


_DESCRIPTIONS = {
    Role.VIEWER: "Reads everything of the team.",
    Role.MEMBER: "Creates, and edits everything of the team.",
    Role.MAINTAINER: "Manages everything of the team.",
    Role.ADMIN: "Manages everything of the team, its members and service accounts.",
}
