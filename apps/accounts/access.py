"""The one engine of rights: roles in teams, plus grants on objects. Fetching is authorising.

Other apps call `level_on` and `restrict` for their own objects; nothing else decides who may do what. For the token of
a project run all of it goes by `apps.accounts.confinement`.
Invisible is `NotFound`, visible but too weak is `PermissionDenied`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

from allauth.usersessions.models import UserSession
from django.db.models import Max, Model, Q, QuerySet

from apps.accounts import confinement
from apps.accounts.kinds import Target, kind_of
from apps.accounts.models import Grant, ObjectKind, Team, Token, User
from apps.accounts.tokens import TokenText
from apps.core.actor import Actor, Level, Role
from apps.core.errors import NotFound, PermissionDenied

M = TypeVar("M", bound=Model)


def level_on(actor: Actor, kind: ObjectKind, object_id: int, team_id: int) -> Level:
    """The actor's level on one object of a team. Asks the database only where the role doesn't give everything."""
    if actor.confined is not None:
        return _level_of_run(actor, kind, object_id, team_id)
    by_role = actor.level_in(team_id)
    if by_role is Level.MANAGE:
        return by_role
    granted = Grant.objects.held_by(actor, kind).filter(object_id=object_id).aggregate(top=Max("level"))["top"]
    return max(by_role, Level(granted or 0))


def users_with(user_ids: Collection[int], kind: ObjectKind, object_id: int, team_id: int, level: Level) -> set[int]:
    """Who of some people holds at least `level` on an object of a team now, by role or grant. Two statements.

    Disabled people hold nothing. That whoever made an object may manage it is the owning app's to add.
    """
    if not user_ids:
        return set()
    active = User.objects.filter(pk__in=list(user_ids), is_active=True).order_by()
    rows = list(active.values_list("pk", "is_superuser", "memberships__team_id", "memberships__role"))
    held = {pk for pk, is_admin, team, role in rows if is_admin or (team == team_id and Role(role).level >= level)}
    rest = [(pk, team) for pk, _, team, _ in rows if pk not in held]
    if not rest:
        return held
    reached = Q(user_id__in={pk for pk, _ in rest}) | Q(team_id__in={team for _, team in rest if team})
    grants = Grant.objects.filter(reached, kind=kind, object_id=object_id, level__gte=level)
    holders = list(grants.values_list("user_id", "team_id"))
    people, teams = {user for user, _ in holders if user}, {team for _, team in holders if team}
    return held | {pk for pk, team in rest if pk in people or team in teams}


def require(actual: Level, needed: Level, *, missing: str, doing: str = "do this") -> None:
    """Raise `NotFound(missing)` for what the actor can't see, `PermissionDenied` where the level is too weak."""
    if actual is Level.NONE:
        raise NotFound(missing)
    if actual < needed:
        raise PermissionDenied(f"Permission denied: you may not {doing}.")


def readable(actor: Actor, kind: ObjectKind, prefix: str = "") -> Q:
    """The condition for "the actor may read it". `prefix` is the path from the model to the owning object."""
    if actor.confined is not None:
        return _within(actor, kind, prefix, readable)
    if actor.is_admin:
        return Q()
    granted = Grant.objects.held_by(actor, kind).values("object_id")
    return Q(**{f"{prefix}team_id__in": list(actor.roles)}) | Q(**{f"{prefix}pk__in": granted})


def listed(actor: Actor, kind: ObjectKind, prefix: str = "") -> Q:
    """The condition for lists and searches: the team the request speaks for, and what was granted to the caller."""
    if actor.confined is not None:
        # An experiment may be of another team than the run: what it reaches is one, whatever team it speaks for.
        return _within(actor, kind, prefix, readable if confinement.is_pinned(kind) else listed)
    granted = Grant.objects.held_by(actor, kind).values("object_id")
    team_id = actor.team_id
    in_team = team_id is not None and (actor.is_admin or team_id in actor.roles)
    own = Q(**{f"{prefix}team_id": team_id}) if in_team else Q(pk__in=[])
    return own | Q(**{f"{prefix}pk__in": granted})


def _level_of_run(actor: Actor, kind: ObjectKind, object_id: int, team_id: int) -> Level:
    owner = confinement.owner_behind(actor, kind)
    if owner is None or not confinement.reaches(actor, kind, object_id):
        return Level.NONE
    return min(confinement.MOST, level_on(owner, kind, object_id, team_id))


def _within(actor: Actor, kind: ObjectKind, prefix: str, condition: Callable[[Actor, ObjectKind, str], Q]) -> Q:
    owner = confinement.owner_behind(actor, kind)
    if owner is None:
        return Q(pk__in=[])
    return confinement.pinned(actor, kind, prefix) & condition(owner, kind, prefix)


def require_team(actor: Actor, needed: Role = Role.MEMBER) -> int:
    """The id of the team the request speaks for, if the actor may create there with at least `needed`."""
    if actor.team_id is None:
        raise PermissionDenied("Permission denied: you are in no team, so there is nowhere to create this.")
    role = confinement.creator(actor).role_in(actor.team_id)
    if role is None or _ORDER[role] < _ORDER[needed]:
        raise PermissionDenied(f"Permission denied: creating this wants the role {needed} in the team.")
    return actor.team_id


def require_admin(actor: Actor) -> None:
    """Only administrators of the site."""
    if not actor.is_admin:
        raise PermissionDenied("Permission denied: this is for administrators.")


def get_team(actor: Actor, name: str, needed: Role = Role.VIEWER) -> Team:
    """A team by name, for somebody with at least the role `needed` in it."""
    team = _first(Team.objects.visible_to(actor).filter(name=name), f"Workspace '{name}' not found.")
    _require_role(actor, team, needed)
    return team


def get_team_by_id(actor: Actor, team_id: int, needed: Role = Role.VIEWER, *, missing: str = "Team not found.") -> Team:
    """A team by id, for somebody with at least the role `needed` in it."""
    team = _first(Team.objects.visible_to(actor).filter(pk=team_id), missing)
    _require_role(actor, team, needed)
    return team


def _require_role(actor: Actor, team: Team, needed: Role) -> None:
    role = actor.role_in(team.pk)
    if role is None or _ORDER[role] < _ORDER[needed]:
        raise PermissionDenied(f"Permission denied: this wants the role {needed} in team {team.name}.")


def get_user(actor: Actor, username: str) -> User:
    """A person the actor may know of."""
    found: QuerySet[User] = User.objects.visible_to(actor).filter(username=username)
    return _first(found, f"User with username={username} not found")


def get_token(actor: Actor, token_id: int) -> Token:
    """A token of one's own; any for administrators."""
    return _first(Token.objects.visible_to(actor).filter(pk=token_id), f"Token {token_id} not found.")


def get_token_by_key(actor: Actor, text: str) -> Token:
    """A token by itself or by its key id."""
    parsed = TokenText.parse(text)
    key_id = parsed.key_id if parsed else text
    return _first(Token.objects.visible_to(actor).select_related("user").filter(key_id=key_id), "Token not found.")


def get_token_owner(actor: Actor, username: str) -> User:
    """Somebody whom the actor may make tokens for: the actor, and service accounts of teams the actor administers."""
    user = get_user(actor, username)
    if user.pk == actor.user_id or may_manage_service(actor, user):
        return user
    raise PermissionDenied("Permission denied: people make their own tokens.")


def get_service_account(actor: Actor, username: str) -> User:
    """A service account of a team that the actor administers."""
    user = get_user(actor, username)
    if not may_manage_service(actor, user):
        raise PermissionDenied("Permission denied: this wants the role admin in the team of a service account.")
    return user


def may_manage_service(actor: Actor, user: User) -> bool:
    """Whether `user` is a service account and the actor administers the team that owns it."""
    team_id = user.home_team_id
    return user.is_service and (actor.is_admin or (team_id is not None and actor.role_in(team_id) is Role.ADMIN))


def get_account(actor: Actor, username: str) -> User:
    """A person with what only they and administrators see: grants, profile, sign-in."""
    user = get_user(actor, username)
    if user.pk != actor.user_id:
        require_admin(actor)
    return user


def find_person(actor: Actor, username: str) -> User:
    """Anybody active, by the exact name: for somebody who shares an object or invites to a team."""
    found: QuerySet[User] = User.objects.filter(username=username, is_active=True)
    return _first(found, f"User with username={username} not found")


def find_people(actor: Actor, usernames: Collection[str]) -> dict[str, User]:
    """As `find_person`, many at once; raises `NotFound` for the first that is not there. One statement."""
    found = {user.username: user for user in User.objects.filter(username__in=list(usernames), is_active=True)}
    for username in usernames:
        if username not in found:
            raise NotFound(f"User with username={username} not found")
    return found


def find_holder(target: Target, username: str) -> User:
    """Anybody, also disabled, who was granted an object by name: for somebody who manages it and takes that back."""
    grants = Grant.objects.filter(kind=target.kind, object_id=target.object_id)
    found: QuerySet[User] = User.objects.filter(username=username).filter(Q(is_active=True) | Q(grants__in=grants))
    return _first(found, f"User with username={username} not found")


def find_team(actor: Actor, name: str) -> Team:
    """Any team, by the exact name: for somebody who shares an object with it."""
    return _first(Team.objects.filter(name=name), f"Workspace '{name}' not found.")


def find_teams(actor: Actor, names: Collection[str]) -> dict[str, Team]:
    """As `find_team`, many at once; raises `NotFound` for the first that is not there. One statement."""
    found = {team.name: team for team in Team.objects.filter(name__in=list(names))}
    for name in names:
        if name not in found:
            raise NotFound(f"Workspace '{name}' not found.")
    return found


def get_grant(actor: Actor, grant_id: int) -> tuple[Target, User | Team]:
    """The object and the holder of a grant, for somebody who manages the object."""
    missing = f"Grant {grant_id} not found."
    grant = _first(Grant.objects.select_related("user", "team").filter(pk=grant_id), missing)
    holder = grant.user or grant.team
    if holder is None:
        raise NotFound(missing)
    kind = kind_of(ObjectKind(grant.kind))
    try:
        return kind.find(actor, kind.key_of(grant.object_id), Level.MANAGE), holder
    except NotFound as error:
        # In the words of a grant that isn't: whose it is, is not for everybody.
        raise NotFound(missing) from error


def get_session(actor: Actor, session_id: int) -> UserSession:
    """A browser session of one's own."""
    own = UserSession.objects.filter(user_id=actor.user_id or 0, pk=session_id)
    return _first(own.select_related("user"), "This session has ended.")


def _first(found: QuerySet[M], missing: str) -> M:
    row: M | None = found.first()
    if row is None:
        raise NotFound(missing)
    return row


_ORDER = {role: place for place, role in enumerate(Role)}
