"""Who is asking: the person or service account behind a request, with roles, scopes and the team it speaks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum


class Level(IntEnum):
    """What somebody may do with one object. Each level includes the ones before.

    `STAGING` and `PRODUCTION` are of registered models alone: moving versions among None, Staging and Archived, and
    also into and out of Production. The numbers leave room, since they are stored.
    """

    NONE = 0
    READ = 10
    EDIT = 20
    STAGING = 30
    PRODUCTION = 40
    MANAGE = 50

    @property
    def word(self) -> str:
        """How messages and the API name it: `read`."""
        return self.name.lower()


class Role(StrEnum):
    """A member's place in a team."""

    VIEWER = "viewer"
    MEMBER = "member"
    MAINTAINER = "maintainer"
    ADMIN = "admin"

    @property
    def level(self) -> Level:
        """The level this role gives on each object of the team."""
        return {Role.VIEWER: Level.READ, Role.MEMBER: Level.EDIT}.get(self, Level.MANAGE)


class Scope(StrEnum):
    """What a token may be used for. `ALL` is whatever its owner may."""

    ALL = "all"
    READ = "read"
    TRACKING = "tracking"
    REGISTRY = "registry"
    PROJECTS = "projects"
    SERVE = "serve"
    METRICS = "metrics"


class Via(StrEnum):
    """How the request proved who it is; kept in the audit log."""

    SESSION = "session"
    TOKEN = "token"
    PASSWORD = "password"
    NO_LOGIN = "no-login"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Confinement:
    """What a caller is kept to that came with the token of a project run: its experiment, its project, itself.

    `roles` and `is_admin` are those of the run's owner as of now. They stand here and not in the actor, so that only
    `apps.accounts.confinement`, which takes its part of them, counts them; what asks the actor finds no right.
    """

    project_run_id: int
    experiment_id: int | None
    project_id: int | None
    roles: Mapping[int, Role]
    is_admin: bool
    # A webhook started it: what it does starts nothing by webhook, or it would start itself again and again.
    is_by_hook: bool = False


@dataclass(frozen=True, slots=True)
class Actor:
    """An authenticated caller. Build it with `apps.accounts.authentication`; tests and tasks use `system_actor`.

    `roles` maps team id to role; `team_id` is the team the request speaks for (None: a person in no team). With
    `confined` it is a project run: `user_id` is its owner, it has no roles, and reaches only routes that say so.
    """

    user_id: int | None
    username: str
    via: Via
    is_admin: bool = False
    roles: Mapping[int, Role] = field(default_factory=dict)
    team_id: int | None = None
    scopes: frozenset[Scope] = frozenset({Scope.ALL})
    token_id: int | None = None
    confined: Confinement | None = None

    def may_use(self, scope: Scope | None, *, reads: bool, by_runs: bool = False) -> bool:
        """Whether the credentials reach a route of `scope`; `None` stands for routes only `ALL` (or a read) reaches.

        Project runs reach those that say so (`by_runs`), and no others.
        """
        if self.confined is not None:
            return by_runs
        return Scope.ALL in self.scopes or (reads and Scope.READ in self.scopes) or scope in self.scopes

    def role_in(self, team_id: int) -> Role | None:
        """The role in a team; administrators of the site hold the highest everywhere."""
        return Role.ADMIN if self.is_admin else self.roles.get(team_id)

    def level_in(self, team_id: int) -> Level:
        """The level that membership alone gives on objects of a team; grants may add to it."""
        role = self.role_in(team_id)
        return role.level if role else Level.NONE

    def may_speak_for(self, team_id: int) -> bool:
        """Whether a request may name a team to speak for: members may, and administrators; a run names its own."""
        return team_id == self.team_id if self.confined is not None else self.role_in(team_id) is not None

    def speaking_for(self, team_id: int | None) -> Actor:
        """The same caller, speaking for another team."""
        return replace(self, team_id=team_id)


def system_actor(username: str = "system") -> Actor:
    """The server itself: scheduled work and commands typed on the host."""
    return Actor(user_id=None, username=username, via=Via.SYSTEM, is_admin=True)
