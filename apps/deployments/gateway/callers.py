"""Who calls, and whether they may. What was decided is kept in the process until something about it changes.

The right to call a deployment is to read it. Kept decisions are of one epoch of rights and one table: a token that is
revoked, a grant that is taken back or a person who leaves a team is refused at the next call.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import blake2b
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, parse_cookie
from rest_framework.authentication import CSRFCheck

from apps.accounts import authentication, epoch
from apps.accounts.sockets import actor_of_session
from apps.core.actor import Actor, Level, Scope
from apps.core.context import RequestContext, entered
from apps.core.errors import BadRequest, NotSignedIn, PermissionDenied
from apps.core.middleware import is_answered_host, is_loopback
from apps.core.rules import scope_words
from apps.deployments.access import require_level
from apps.deployments.gateway.calls import Call
from apps.deployments.gateway.epochs import Epochs
from apps.deployments.gateway.table import Endpoint
from apps.deployments.gateway.threads import Threads
from apps.deployments.models import Deployment

_KEPT_SECONDS = 30
_KEPT_AT_MOST = 4096
_SAFE_METHODS = {"GET", "HEAD"}
_key = secrets.token_bytes(32)


@dataclass(frozen=True, slots=True)
class _Decision:
    """Somebody may call. `who` is what their calls are counted by; `expires_at` in seconds since 1970."""

    who: str
    epoch: int
    until: float
    expires_at: float

    def is_good(self, now_epoch: int) -> bool:
        return (
            self.epoch == now_epoch != epoch.UNKNOWN and self.until > time.monotonic() and self.expires_at > time.time()
        )


class Callers:
    """Decides about calls."""

    def __init__(self, epochs: Epochs, threads: Threads) -> None:
        self._epochs, self._threads = epochs, threads

    async def check(self, call: Call, endpoint: Endpoint | None) -> str:
        """What a call is counted by. With no endpoint it is looked at who calls alone, not what they may do.

        Raises `NotSignedIn`, `PermissionDenied` and `NotFound` as other routes do.
        """
        if call.door is not None and call.door.is_open:
            return f"address.{call.address}"
        if settings.NO_LOGIN:
            return await self._without_login(call)
        authorization = call.ours.get(b"authorization")
        if authorization:
            return await self._with_token(call, authorization, endpoint)
        # Browsers send the site's cookies to its other ports, too: there they prove nothing.
        if b"cookie" in call.ours and call.door is None:
            return await self._threads.run(partial(_decide_session, call, endpoint))
        raise NotSignedIn

    def known(self, call: Call, endpoint: Endpoint, now: float) -> bool:
        """Whether it is known without asking anybody that they may call; `now` is by the loop's clock."""
        if call.door is not None and call.door.is_open:
            return True
        authorization = call.ours.get(b"authorization")
        if settings.NO_LOGIN or not authorization:
            return False
        kept: _Decision | None = endpoint.decisions.get(_digest_of(authorization))
        return kept is not None and kept.is_good(self._epochs.known(now))

    async def _with_token(self, call: Call, authorization: bytes, endpoint: Endpoint | None) -> str:
        digest = _digest_of(authorization)
        kept: _Decision | None = endpoint.decisions.get(digest) if endpoint else None
        if kept is not None and kept.is_good(await self._epochs.current()):
            return kept.who
        decision = await self._threads.run(partial(_decide_token, call, authorization, endpoint))
        if endpoint is not None:
            if len(endpoint.decisions) >= _KEPT_AT_MOST:
                endpoint.decisions.clear()
            endpoint.decisions[digest] = decision
        return decision.who

    async def _without_login(self, call: Call) -> str:
        if call.address and not is_loopback(call.address):
            raise PermissionDenied("Permission denied: a server without a login answers this machine only.")
        await self._threads.run(authentication.no_login_actor)
        return "no-login"


def _digest_of(authorization: bytes) -> bytes:
    return blake2b(authorization, key=_key, digest_size=16).digest()


def check_origin(call: Call) -> None:
    """Raise for a host name that is not ours and for a page of another site: browsers say where a call comes from."""
    host = call.ours.get(b"host", b"").decode("latin-1")
    if not _is_answered(host, settings.NO_LOGIN):
        message = "This server is not set up for this host name: set SLIPWAY_PUBLIC_URL to the URL people use."
        raise BadRequest(message)
    origin = call.ours.get(b"origin")
    if origin is None or (call.method in _SAFE_METHODS and not settings.NO_LOGIN):
        return
    if _netloc(origin.decode("latin-1")) not in {host, urlsplit(settings.PUBLIC_URL).netloc} - {""}:
        raise PermissionDenied("Permission denied: the call comes from a page of another site.")


def _decide_token(call: Call, authorization: bytes, endpoint: Endpoint | None) -> _Decision:
    now = epoch.current()
    with entered(RequestContext(call.request_id, call.address or None)):
        actor, expires_at = authentication.caller_of_authorization(authorization.decode("latin-1"))
    _require(actor, endpoint)
    who = f"token.{actor.token_id}" if actor.token_id else f"user.{actor.user_id}"
    return _Decision(who, now, time.monotonic() + _KEPT_SECONDS, expires_at)


def _decide_session(call: Call, endpoint: Endpoint | None) -> str:
    """Pages call models too. Their cookie comes with any page's calls, so they have to prove that they are ours."""
    cookies = parse_cookie(call.ours.get(b"cookie", b"").decode("latin-1"))
    actor = actor_of_session(cookies.get(settings.SESSION_COOKIE_NAME, ""))
    if actor is None:
        raise NotSignedIn
    if call.method not in _SAFE_METHODS:
        _check_csrf(call, cookies)
    _require(actor, endpoint)
    return f"user.{actor.user_id}"


def _require(actor: Actor, endpoint: Endpoint | None) -> None:
    if not actor.may_use(Scope.SERVE, reads=False):
        raise PermissionDenied(scope_words(actor, Scope.SERVE))
    if endpoint is not None:
        known = Deployment(pk=endpoint.pk, name=endpoint.name, team_id=endpoint.team_id, owner_id=endpoint.owner_id)
        require_level(actor, known, Level.READ)


def _check_csrf(call: Call, cookies: Mapping[str, str]) -> None:
    request = HttpRequest()
    request.method, request.COOKIES = call.method, dict(cookies)
    request.META = {
        "HTTP_HOST": call.ours.get(b"host", b"").decode("latin-1"),
        "HTTP_X_CSRFTOKEN": call.ours.get(b"x-csrftoken", b"").decode("latin-1"),
        "wsgi.url_scheme": call.scheme,
    }
    for name, key in ((b"origin", "HTTP_ORIGIN"), (b"referer", "HTTP_REFERER")):
        if value := call.header(name):
            request.META[key] = value.decode("latin-1")
    forwarded = call.header(b"x-forwarded-proto")
    if forwarded:
        request.META["HTTP_X_FORWARDED_PROTO"] = forwarded.decode("latin-1")
    check = CSRFCheck(lambda _: HttpResponse())
    check.process_request(request)
    reason = check.process_view(request, HttpResponse, (), {})
    if reason:
        raise PermissionDenied(f"Permission denied: CSRF check failed: {reason}")


@lru_cache(maxsize=256)
def _is_answered(host: str, no_login: bool) -> bool:
    return is_answered_host(host)


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
