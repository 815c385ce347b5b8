"""Passwords, checked the same way for the sign-in page and for HTTP Basic: throttled, recorded, equally slow.

Argon2 is slow on purpose, and a script sends its password with each call: a password that was right is remembered
for some minutes in this process, as a keyed hash over the person, the stored hash and the text.
"""

from __future__ import annotations

import hmac
import secrets
import time

from django.conf import settings

from apps.accounts import throttling
from apps.accounts.actions.sessions import note_failed_sign_in
from apps.accounts.models import User
from apps.core.context import current_context

_KEPT_SECONDS = 600
_KEPT_AT_MOST = 1024
_LONGEST = 1024
_key = secrets.token_bytes(32)
_verified: dict[bytes, float] = {}


def find_by_password(username: str, password: str) -> User | None:
    """The active person of this name and password. Raises `TooManyRequests`, before looking, after many failures.

    Nobody where the site takes no passwords.
    """
    if not settings.PASSWORD_SIGN_IN:
        return None
    readable = _is_text(username, 150) and _is_text(password, _LONGEST)
    user: User | None = User.objects.filter(username=username).first() if readable else None
    if user is not None and is_remembered(user, password):
        return user
    address = current_context().ip
    throttling.check_password_attempt(username, address)
    if readable and _is_right(user, password):
        return user
    locked = throttling.note_wrong_password(username, address)
    note_failed_sign_in(user, is_locked=locked)
    return None


def is_remembered(user: User, password: str) -> bool:
    """Whether this very password was right for the person a moment ago, and nothing of it has changed."""
    usable = user.is_active and not user.is_service
    return usable and _verified.get(_fingerprint(user, password), 0.0) > time.monotonic()


def _is_right(user: User | None, password: str) -> bool:
    if user is None or user.is_service:
        # As slow as a wrong password: how long it takes must not tell who exists.
        User().set_password(password)
        return False
    if not user.check_password(password) or not user.is_active:
        return False
    if len(_verified) >= _KEPT_AT_MOST:
        _verified.clear()
    _verified[_fingerprint(user, password)] = time.monotonic() + _KEPT_SECONDS
    return True


def _fingerprint(user: User, password: str) -> bytes:
    return hmac.digest(_key, f"{user.pk}\0{user.password}\0{password}".encode(), "sha256")


def _is_text(value: str, longest: int) -> bool:
    return 0 < len(value) <= longest and "\x00" not in value and value.isprintable()
