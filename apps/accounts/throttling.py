"""Slows guessing: wrong credentials are counted by account, by address, and by both together.

A correct token is never refused because of others' failures: it is looked up first, and nothing here is asked.
"""

from __future__ import annotations

import logging
import secrets

from django.core.cache import cache
from redis.exceptions import RedisError

from apps.core.errors import TooManyRequests

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 300
PER_ACCOUNT_AND_ADDRESS = 10
PER_ACCOUNT = 50
PER_ADDRESS = 100
TOKENS_PER_ADDRESS = 300


def check_password_attempt(username: str, address: str | None) -> None:
    """Raise `TooManyRequests` where a password for this account, or from this address, won't be looked at now."""
    _refuse_over(_password_limits(username, address))


def note_wrong_password(username: str, address: str | None) -> bool:
    """Count a failure. True when this one was the last that is looked at for a while."""
    return _count(_password_limits(username, address))


def forget_failures(username: str) -> None:
    """Let an account be tried again at once, from every address that is not held up itself."""
    try:
        cache.set(_round_key(username), secrets.token_hex(4), timeout=2 * WINDOW_SECONDS)
    except RedisError as error:
        logger.warning("cache: %s; failed sign-ins are forgotten after %d seconds", error, WINDOW_SECONDS)


def note_wrong_token(address: str | None) -> None:
    """Count a token that is none. Raises `TooManyRequests` instead of letting the caller go on guessing."""
    limits = {f"throttle.token.{address}": TOKENS_PER_ADDRESS}
    _refuse_over(limits)
    _count(limits)


def _password_limits(username: str, address: str | None) -> dict[str, int]:
    account = _account(username) + _round(username)
    return {
        f"throttle.both.{account}.{address}": PER_ACCOUNT_AND_ADDRESS,
        f"throttle.account.{account}": PER_ACCOUNT,
        f"throttle.address.{address}": PER_ADDRESS,
    }


def _account(username: str) -> str:
    return username.lower().encode(errors="replace").hex()[:120]


def _round_key(username: str) -> str:
    return f"throttle.round.{_account(username)}"


def _round(username: str) -> str:
    """Failures are counted under it, so that another one forgets them all, whatever addresses they came from."""
    try:
        return str(cache.get(_round_key(username), ""))
    except RedisError:
        # What counts them will say so.
        return ""


def _refuse_over(limits: dict[str, int]) -> None:
    try:
        failures = cache.get_many(limits)
    except RedisError as error:
        logger.warning("cache: %s; failed sign-ins are not counted", error)
        return
    if any(failures.get(key, 0) >= limit for key, limit in limits.items()):
        raise TooManyRequests("Too many failed sign-ins. Try again in a few minutes.", retry_after=WINDOW_SECONDS)


def _count(limits: dict[str, int]) -> bool:
    reached = False
    try:
        for key, limit in limits.items():
            cache.add(key, 0, timeout=WINDOW_SECONDS)
            reached |= cache.incr(key) == limit
    except (RedisError, ValueError) as error:
        logger.warning("cache: %s; a failed sign-in is not counted", error)
    return reached
