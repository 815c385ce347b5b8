"""Which groups of the provider put people into which teams, in which role, and which make administrators."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from apps.core.actor import Role

EVERYBODY = "*"
ADMIN = "admin"
_TEAM = re.compile(r"[a-z0-9][a-z0-9-]{0,61}[a-z0-9]")
_ORDER = {role: place for place, role in enumerate(Role)}


@dataclass(frozen=True, slots=True)
class GroupRule:
    """Who is in `group` has `role` in `team`, or, where `team` is empty, administers the site."""

    group: str
    team: str
    role: Role


@dataclass(frozen=True, slots=True)
class GroupMapping:
    """The rules. Teams that one of them names are the provider's to fill; all others are left alone."""

    rules: tuple[GroupRule, ...] = ()

    @classmethod
    def parse(cls, text: str) -> GroupMapping:
        """`group=team:role` and `group=admin`, one a line or separated by semicolons. Raises `ValueError`."""
        entries = (entry.strip() for entry in re.split(r"[;\n]", text))
        return cls(tuple(_rule(entry) for entry in entries if entry))

    @property
    def teams(self) -> frozenset[str]:
        """The names of the teams that are the provider's."""
        return frozenset(rule.team for rule in self.rules if rule.team)

    @property
    def manages_admins(self) -> bool:
        """Whether the provider says who administers the site."""
        return any(not rule.team for rule in self.rules)

    def roles_for(self, groups: Collection[str]) -> dict[str, Role]:
        """The role in each team that somebody in `groups` has: the highest of those that their groups give."""
        roles: dict[str, Role] = {}
        for rule in self._matching(groups):
            if rule.team and (rule.team not in roles or _ORDER[rule.role] > _ORDER[roles[rule.team]]):
                roles[rule.team] = rule.role
        return roles

    def makes_admin(self, groups: Collection[str]) -> bool:
        """Whether somebody in `groups` administers the site."""
        return any(not rule.team for rule in self._matching(groups))

    def _matching(self, groups: Collection[str]) -> list[GroupRule]:
        return [rule for rule in self.rules if rule.group == EVERYBODY or rule.group in groups]


def _rule(entry: str) -> GroupRule:
    # Groups are named by others, and may hold any sign: what stands behind the last `=` is ours.
    group, is_there, target = (part.strip() for part in entry.rpartition("="))
    if not is_there or not group:
        raise ValueError(f"{entry!r} is not of the form group=team:role or group=admin")
    if target == ADMIN:
        if group == EVERYBODY:
            raise ValueError(f"{entry!r} would make everybody an administrator of the site")
        return GroupRule(group, "", Role.ADMIN)
    team, _, role = target.partition(":")
    if not _TEAM.fullmatch(team) or role not in list(Role):
        roles = ", ".join(Role)
        raise ValueError(f"{entry!r} names no team:role; a role is one of {roles}")
    return GroupRule(group, team, Role(role))
