"""A number that every change of rights moves on. What a process keeps about callers is good for one epoch only."""

from __future__ import annotations

import logging
import time

from django.core.cache import cache
from django.db import transaction
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

_KEY = "accounts.epoch"
UNKNOWN = -1


def current() -> int:
    """The epoch, or `UNKNOWN` while the cache does not answer: then nothing that is kept may be used."""
    try:
        return int(cache.get_or_set(_KEY, _first, timeout=None) or UNKNOWN)
    except RedisError as error:
        logger.warning("cache: %s", error)
        return UNKNOWN


def forget_actors() -> None:
    """Call in the transaction of each change of rights: after it, no process uses what it has kept."""
    transaction.on_commit(_move)


def _first() -> int:
    """Never a number that was in use before the cache was emptied."""
    return time.time_ns() // 1000


def _move() -> None:
    try:
        if not cache.add(_KEY, _first(), timeout=None):
            cache.incr(_KEY)
    except (RedisError, ValueError) as error:
        logger.warning("cache: %s; processes keep what they know until it runs out", error)
