"""WebSockets: where one comes from and who opened it, asked anew for as long as it is open.

They do not pass Django's middleware, so the host and the origin are looked at here.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest, parse_cookie

from apps.accounts import sessions
from apps.accounts.authentication import actor_of_user, no_login_user
from apps.accounts.models import User
from apps.core.actor import Actor, Via
from apps.core.middleware import is_answered_host, is_loopback

Scope = Mapping[str, Any]


def is_from_our_page(scope: Scope) -> bool:
    """Whether a page of this host opened the socket: browsers always name the origin, and can't be made to lie.

    Without a login, only this machine is answered.
    """
    address: str = (scope.get("client") or ("",))[0]
    if settings.NO_LOGIN and address and not is_loopback(address):
        return False
    host = _header(scope, b"host")
    ours = {host, urlsplit(settings.PUBLIC_URL).netloc} - {""}
    try:
        origin = urlsplit(_header(scope, b"origin")).netloc
    except ValueError:
        return False
    return is_answered_host(host) and origin in ours


def session_key_of(scope: Scope) -> str:
    """The key of the session that the browser sent; empty without one."""
    return parse_cookie(_header(scope, b"cookie")).get(settings.SESSION_COOKIE_NAME, "")


def actor_of_session(session_key: str) -> Actor | None:
    """The actor of a session that is live now: not ended, the person active, the password not changed since."""
    if settings.NO_LOGIN:
        admin = no_login_user()
        return actor_of_user(admin, Via.NO_LOGIN) if admin else None
    if not session_key:
        return None
    store = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    if sessions.is_over(store):
        return None
    user = get_user(cast(HttpRequest, SimpleNamespace(session=store)))
    return actor_of_user(user, Via.SESSION) if isinstance(user, User) and user.is_active else None


def _header(scope: Scope, wanted: bytes) -> str:
    """The only header of that name; empty where there is none, or more than one to choose from."""
    values: list[bytes] = [value for name, value in scope.get("headers", ()) if name.lower() == wanted]
    return values[0].decode("latin1") if len(values) == 1 else ""
