"""From credentials to an `Actor`.

What a token or person may do is read with one statement and kept in this process, under an epoch that every change
of rights moves on: a revoked token stops at the next call, in every process.
"""

from __future__ import annotations

import base64
import hmac
import logging
import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts import epoch, passwords, throttling
from apps.accounts.epoch import forget_actors
from apps.accounts.models import Team, Token, User
from apps.accounts.tokens import TokenText
from apps.core.actor import Actor, Confinement, Role, Scope, Via
from apps.core.context import current_context
from apps.core.errors import NotFound, NotSignedIn

__all__ = [
    "actor_of_header",
    "actor_of_user",
    "caller_of_authorization",
    "forget_actors",
    "named_team",
    "no_login_actor",
]

logger = logging.getLogger(__name__)

TEAM_HEADER = "X-MLFLOW-WORKSPACE"
_KEPT_SECONDS = 30
_KEPT_AT_MOST = 4096
_TOUCHED_EVERY = 60


@dataclass(frozen=True, slots=True)
class _Kept:
    actor: Actor
    digest: str
    expires_at: float
    epoch: int
    until: float

    def is_good(self, now_epoch: int) -> bool:
        return self.epoch == now_epoch != epoch.UNKNOWN and self.until > time.monotonic()


_kept: dict[str, _Kept] = {}
_teams: dict[tuple[int, str], int] = {}
_basic_key = secrets.token_bytes(32)


def actor_of_header(request: HttpRequest) -> Actor:
    """The actor behind an `Authorization` header. Raises `NotSignedIn`, in the same words whatever was wrong."""
    actor, _ = caller_of_authorization(request.META.get("HTTP_AUTHORIZATION", ""))
    return speaking_for_named_team(actor, named_team(request))


def caller_of_authorization(authorization: str) -> tuple[Actor, float]:
    """The actor behind the value of an `Authorization` header, and until when it is good, in seconds since 1970.

    Raises `NotSignedIn`, in the same words whatever was wrong.
    """
    kind, _, value = authorization.partition(" ")
    match kind.lower():
        case "bearer":
            found = _caller_of_token(value.strip())
        case "basic":
            found = _caller_of_basic(value.strip())
        case _:
            found = None
    if found is None:
        raise NotSignedIn
    return found.actor, found.expires_at


def named_team(request: HttpRequest) -> str:
    """The team that a call names, or empty. What `server-info` says is of no team: a client that asks there whether
    there are teams would take a 404 for "no" and not say that its team is the wrong one."""
    return "" if request.path_info.endswith("/mlflow/server-info") else request.headers.get(TEAM_HEADER, "")


def speaking_for_named_team(actor: Actor, name: str) -> Actor:
    """The actor, speaking for the team that a request names; members and administrators may."""
    if not name:
        return actor
    team_id = _team_id(name)
    if team_id is None or not actor.may_speak_for(team_id):
        raise NotFound(f"Workspace '{name}' not found.")
    return actor.speaking_for(team_id)


def actor_of_user(user: User, via: Via) -> Actor:
    """The actor of a signed-in person, with all that the person may."""
    roles = {team: Role(role) for team, role in user.memberships.values_list("team_id", "role")}
    return _actor(user.pk, user.username, user.is_superuser, roles, user.home_team_id, via=via)


def no_login_actor() -> Actor:
    """The administrator, for a server that one person runs alone. Raises `NotSignedIn` before there is one."""
    now = epoch.current()
    kept = _kept.get("no-login")
    if kept is None or not kept.is_good(now):
        admin = no_login_user()
        if admin is None:
            raise NotSignedIn
        kept = _keep("no-login", actor_of_user(admin, Via.NO_LOGIN), now)
    return kept.actor


def no_login_user() -> User | None:
    """The administrator of the settings, else the first there is."""
    admins = User.objects.filter(is_superuser=True, is_active=True)
    found: User | None = admins.filter(username=settings.ADMIN_USERNAME).first() or admins.order_by("pk").first()
    return found


def _actor(user_id: int, name: str, admin: bool, roles: dict[int, Role], home: int | None, **more: Any) -> Actor:
    team_id = more.pop("team_id", None) or home
    if team_id not in roles and not admin:
        team_id = min(roles, default=None)
    if team_id is None and admin:
        team_id = Team.objects.order_by("pk").values_list("pk", flat=True).first()
    return Actor(user_id=user_id, username=name, is_admin=admin, roles=roles, team_id=team_id, **more)


def _caller_of_token(raw: str) -> _Kept | None:
    text = TokenText.parse(raw)
    kept = _kept_token(text) if text else None
    if text is None or kept is None or kept.expires_at < time.time() or not text.matches(kept.digest):
        throttling.note_wrong_token(current_context().ip)
        return None
    return kept


def _kept_token(text: TokenText) -> _Kept | None:
    kept = _kept.get(text.key_id)
    of_run = kept is not None and kept.actor.confined is not None
    now = epoch.current_unless_ended(text.key_id) if of_run else epoch.current()
    return kept if kept and kept.is_good(now) else _load(text.key_id, now)


def _load(key_id: str, now_epoch: int) -> _Kept | None:
    """One statement: the token, its owner and the owner's memberships."""
    fields = ("pk", "digest", "scopes", "expires_at", "team_id", "last_used_at", "user_id", "user__username")
    more = ("user__is_superuser", "user__home_team_id", "user__memberships__team_id", "user__memberships__role")
    kept_to = ("project_run_id", "experiment_id", "project_id", "is_by_hook")
    live = Token.objects.live().filter(key_id=key_id, user__is_active=True).order_by()
    rows = list(live.values_list(*fields, *more, *kept_to, named=True))
    if not rows:
        _kept.pop(key_id, None)
        return None
    row = rows[0]
    roles = {r.user__memberships__team_id: Role(r.user__memberships__role) for r in rows if r.user__memberships__role}
    actor = _actor_of_run(row, roles) if row.project_run_id is not None else _actor_of_owner(row, roles)
    _touch(row.pk, row.last_used_at)
    return _keep(key_id, actor, now_epoch, row.digest, row.expires_at)


def _actor_of_owner(row: Any, roles: dict[int, Role]) -> Actor:
    return _actor(
        row.user_id,
        row.user__username,
        row.user__is_superuser,
        roles,
        row.user__home_team_id,
        team_id=row.team_id,
        via=Via.TOKEN,
        scopes=frozenset(Scope(scope) for scope in row.scopes.split()),
        token_id=row.pk,
    )


def _actor_of_run(row: Any, roles: dict[int, Role]) -> Actor:
    """A project run: named and counted as its owner, and without any of the owner's rights but through `confined`."""
    kept_to = (row.project_run_id, row.experiment_id, row.project_id)
    confined = Confinement(*kept_to, roles, row.user__is_superuser, row.is_by_hook)
    return Actor(
        user_id=row.user_id,
        username=row.user__username,
        via=Via.TOKEN,
        team_id=row.team_id,
        scopes=frozenset(),
        token_id=row.pk,
        confined=confined,
    )


def _keep(key: str, actor: Actor, now_epoch: int, digest: str = "", expires_at: datetime | None = None) -> _Kept:
    expires = expires_at.timestamp() if expires_at else float("inf")
    kept = _Kept(actor, digest, expires, now_epoch, time.monotonic() + _KEPT_SECONDS)
    if len(_kept) >= _KEPT_AT_MOST:
        _kept.clear()
    _kept[key] = kept
    return kept


def _touch(token_id: int, last_used_at: datetime | None) -> None:
    """Note the use, at most once a minute: a write for each call would cost more than the call."""
    now = timezone.now()
    if last_used_at is not None and (now - last_used_at).total_seconds() <= _TOUCHED_EVERY:
        return
    try:
        Token.objects.filter(pk=token_id).update(last_used_at=now)
    except DatabaseError as error:
        # A database that only reads (full disk, standby) still answers reads.
        logger.warning("the use of a token could not be noted: %s", error)


def _caller_of_basic(value: str) -> _Kept | None:
    try:
        username, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:  # neither base64 nor UTF-8
        throttling.note_wrong_token(current_context().ip)
        return None
    if TokenText.parse(password):
        # A token is proof enough: scripts put anything before it, often "token" or nothing.
        return _caller_of_token(password)
    return _caller_of_password(username, password)


def _caller_of_password(username: str, password: str) -> _Kept | None:
    if not settings.PASSWORD_SIGN_IN:
        return None
    key = hmac.digest(_basic_key, f"{username}\0{password}".encode(), "sha256").hex()
    now = epoch.current()
    kept = _kept.get(key)
    if kept is not None and kept.is_good(now):
        return kept
    user = passwords.find_by_password(username, password)
    return _keep(key, actor_of_user(user, Via.PASSWORD), now) if user else None


def _team_id(name: str) -> int | None:
    now = epoch.current()
    team_id = _teams.get((now, name)) if now != epoch.UNKNOWN else None
    if team_id is None:
        readable = "\x00" not in name and len(name) <= 63
        team_id = Team.objects.filter(name=name).values_list("pk", flat=True).first() if readable else None
        if team_id is not None:
            if len(_teams) >= _KEPT_AT_MOST:
                _teams.clear()
            _teams[now, name] = team_id
    return team_id
