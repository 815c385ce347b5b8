"""Slows guessing: wrong credentials are counted by account and by address.

A correct token is never refused because of others' failures: tokens are checked first, and cheaply.
"""

from __future__ import annotations

import logging

from django.core.cache import cache
from redis.exceptions import RedisError

from apps.core.errors import TooManyRequests

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 300
PER_ACCOUNT = 10
PER_ADDRESS = 100


def check(username: str, address: str | None) -> None:
    """Raise `TooManyRequests` where a password for this account from this address won't be looked at now."""
    try:
        failures = cache.get_many([_account_key(username, address), _address_key(address)])
    except RedisError as error:
        logger.warning("cache: %s; failed sign-ins are not counted", error)
        return
    too_many = failures.get(_account_key(username, address), 0) >= PER_ACCOUNT
    if too_many or failures.get(_address_key(address), 0) >= PER_ADDRESS:
        raise TooManyRequests("Too many failed sign-ins. Try again later.", retry_after=WINDOW_SECONDS)


def note_failure(username: str, address: str | None) -> None:
    """Count a failure."""
    try:
        for key in filter(None, (username and _account_key(username, address), _address_key(address))):
            cache.add(key, 0, timeout=WINDOW_SECONDS)
            cache.incr(key)
    except (RedisError, ValueError) as error:
        logger.warning("cache: %s; a failed sign-in is not counted", error)


def _account_key(username: str, address: str | None) -> str:
    return f"throttle.account.{username.lower().encode().hex()[:200]}.{address}"


def _address_key(address: str | None) -> str:
    return f"throttle.address.{address}"
