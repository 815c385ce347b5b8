"""A number that every change of rights moves on. What a process keeps about callers is good for one epoch only."""

from __future__ import annotations

import logging
import time
from functools import partial

from django.core.cache import cache
from django.db import transaction
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

_KEY = "accounts.epoch"
UNKNOWN = -1
# Longer than any process keeps what it knows (`apps.accounts.authentication`).
_ENDED_SECONDS = 120


def current() -> int:
    """The epoch, or `UNKNOWN` while the cache does not answer: then nothing that is kept may be used."""
    try:
        return int(cache.get_or_set(_KEY, _first, timeout=None) or UNKNOWN)
    except RedisError as error:
        logger.warning("cache: %s", error)
        return UNKNOWN


def cache_key() -> str:
    """What the cache keeps the epoch under, for who asks it on a connection of its own."""
    return cache.make_key(_KEY)


def current_unless_ended(key_id: str) -> int:
    """As `current`, but `UNKNOWN` once the token of a project run with this key id has ended.

    Runs end all the time: if each moved the epoch, every process would have to read every caller anew. Two single looks
    at the cache, which cost less than one for two keys (`slipway.cache`).
    """
    try:
        has_ended = cache.get(_ended(key_id)) is not None
    except RedisError as error:
        logger.warning("cache: %s", error)
        return UNKNOWN
    return UNKNOWN if has_ended else current()


def forget_token(key_id: str) -> None:
    """Call in the transaction that ends the token of a project run: after it, no process uses what it has kept."""
    transaction.on_commit(partial(_end, key_id))


def forget_actors() -> None:
    """Call in the transaction of each change of rights: after it, no process uses what it has kept."""
    transaction.on_commit(_move)


def _first() -> int:
    """Never a number that was in use before the cache was emptied."""
    return time.time_ns() // 1000


def _ended(key_id: str) -> str:
    return f"accounts.ended.{key_id}"


def _end(key_id: str) -> None:
    try:
        cache.set(_ended(key_id), 1, timeout=_ENDED_SECONDS)
    except RedisError as error:
        logger.warning("cache: %s; processes keep what they know until it runs out", error)


def _move() -> None:
    try:
        if not cache.add(_KEY, _first(), timeout=None):
            cache.incr(_KEY)
    except (RedisError, ValueError) as error:
        logger.warning("cache: %s; processes keep what they know until it runs out", error)
