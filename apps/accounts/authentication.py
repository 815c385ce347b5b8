"""From credentials to an `Actor`.

What a token or person may do is read with one statement and kept in this process, under an epoch that every change
of rights moves on: a revoked token stops at the next call, in every process.
"""

from __future__ import annotations

import base64
import binascii
import logging
import time
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import authenticate
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from redis.exceptions import RedisError

from apps.accounts import throttling
from apps.accounts.models import Team, Token, User
from apps.accounts.tokens import TokenText
from apps.core.actor import Actor, Role, Scope, Via
from apps.core.context import current_context
from apps.core.errors import NotFound, NotSignedIn

logger = logging.getLogger(__name__)

TEAM_HEADER = "X-MLFLOW-WORKSPACE"
_EPOCH_KEY = "accounts.epoch"
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


_kept: dict[str, _Kept] = {}


def actor_of_header(request: HttpRequest) -> Actor:
    """The actor behind an `Authorization` header. Raises `NotSignedIn`, in the same words whatever was wrong."""
    kind, _, value = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    match kind.lower():
        case "bearer":
            actor = _actor_of_token(value.strip())
        case "basic":
            actor = _actor_of_basic(request, value.strip())
        case _:
            actor = None
    if actor is None:
        throttling.note_failure("", current_context().ip)
        raise NotSignedIn
    return speaking_for_named_team(actor, request.headers.get(TEAM_HEADER, ""))


def speaking_for_named_team(actor: Actor, name: str) -> Actor:
    """The actor, speaking for the team that a request names; members and administrators may."""
    if not name:
        return actor
    team = Team.objects.visible_to(actor).filter(name=name).values_list("pk", flat=True).first()
    if team is None:
        raise NotFound(f"Workspace '{name}' not found.")
    return actor.speaking_for(team)


def actor_of_user(user: User, via: Via) -> Actor:
    """The actor of a signed-in person, with all that the person may."""
    roles = {team: Role(role) for team, role in user.memberships.values_list("team_id", "role")}
    return _actor(user.pk, user.username, user.is_superuser, roles, user.home_team_id, via=via)


def forget_actors() -> None:
    """Call in the transaction of each change of rights: after it, no process uses what it has kept."""
    transaction.on_commit(_move_epoch)


def _actor(user_id: int, name: str, admin: bool, roles: dict[int, Role], home: int | None, **more: Any) -> Actor:
    team_id = more.pop("team_id", None) or home
    if team_id not in roles and not admin:
        team_id = min(roles, default=None)
    if team_id is None and admin:
        team_id = Team.objects.order_by("pk").values_list("pk", flat=True).first()
    return Actor(user_id=user_id, username=name, is_admin=admin, roles=roles, team_id=team_id, **more)


def _actor_of_token(raw: str) -> Actor | None:
    text = TokenText.parse(raw)
    if text is None:
        return None
    epoch = _epoch()
    kept = _kept.get(text.key_id)
    if kept is None or kept.epoch != epoch or epoch < 0 or kept.until < time.monotonic():
        kept = _load(text.key_id, epoch)
    if kept is None or kept.expires_at < time.time() or not text.matches(kept.digest):
        return None
    return kept.actor


def _load(key_id: str, epoch: int) -> _Kept | None:
    """One statement: the token, its owner and the owner's memberships."""
    fields = ("pk", "digest", "scopes", "expires_at", "team_id", "last_used_at", "user_id", "user__username")
    more = ("user__is_superuser", "user__home_team_id", "user__memberships__team_id", "user__memberships__role")
    rows = list(
        Token.objects.live()
        .filter(key_id=key_id, user__is_active=True)
        .order_by()
        .values_list(*fields, *more, named=True)
    )
    if not rows:
        return None
    row = rows[0]
    roles = {r.user__memberships__team_id: Role(r.user__memberships__role) for r in rows if r.user__memberships__role}
    actor = _actor(
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
    _touch(row.pk, row.last_used_at)
    expires = row.expires_at.timestamp() if row.expires_at else float("inf")
    kept = _Kept(actor, row.digest, expires, epoch, time.monotonic() + _KEPT_SECONDS)
    if len(_kept) >= _KEPT_AT_MOST:
        _kept.clear()
    _kept[key_id] = kept
    return kept


def _touch(token_id: int, last_used_at: Any) -> None:
    """Note the use, at most once a minute: a write for each call would cost more than the call."""
    now = timezone.now()
    if last_used_at is None or (now - last_used_at).total_seconds() > _TOUCHED_EVERY:
        Token.objects.filter(pk=token_id).update(last_used_at=now)


def _actor_of_basic(request: HttpRequest, value: str) -> Actor | None:
    try:
        username, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    if TokenText.parse(password):
        actor = _actor_of_token(password)
        # Any user name but another person's: scripts often put "token" there.
        return actor
    return _actor_of_password(request, username, password)


def _actor_of_password(request: HttpRequest, username: str, password: str) -> Actor | None:
    if "\x00" in username or "\x00" in password or not username or not password:
        return None
    throttling.check(username, current_context().ip)
    user = authenticate(request, username=username, password=password)
    if not isinstance(user, User) or user.is_service:
        throttling.note_failure(username, current_context().ip)
        return None
    return actor_of_user(user, Via.PASSWORD)


def _epoch() -> int:
    """-1 while the cache does not answer: then nothing kept is used."""
    try:
        return int(cache.get_or_set(_EPOCH_KEY, 1, timeout=None) or 1)
    except RedisError as error:
        logger.warning("cache: %s", error)
        return -1


def _move_epoch() -> None:
    _kept.clear()
    try:
        cache.add(_EPOCH_KEY, 1, timeout=None)
        cache.incr(_EPOCH_KEY)
    except RedisError as error:
        logger.warning("cache: %s; other processes keep what they know for %s s", error, _KEPT_SECONDS)
