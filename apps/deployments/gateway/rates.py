"""How often somebody may call a deployment in a minute, counted over all processes in the cache."""

from __future__ import annotations

import logging
import time

from django.core.cache import cache

from apps.core.errors import TooManyRequests
from apps.deployments.gateway.redis_line import RedisAway, RedisLine

logger = logging.getLogger(__name__)

_WINDOW_SECONDS = 60
# The minute before counts for the part of it that lies within the last 60 seconds: no burst at the turn of a minute.
_SCRIPT = b"""
local now = tonumber(redis.call('GET', KEYS[1]) or '0')
local before = tonumber(redis.call('GET', KEYS[2]) or '0')
if before * tonumber(ARGV[1]) + now >= tonumber(ARGV[2]) then return 0 end
redis.call('INCR', KEYS[1])
redis.call('EXPIRE', KEYS[1], 150)
return 1
"""


class Rates:
    """Counts calls. While Redis is away, nobody is refused."""

    def __init__(self, line: RedisLine | None) -> None:
        self._line = line

    async def count(self, deployment: int, who: str, limit: int) -> None:
        """Count a call. Raises `TooManyRequests` for one over the limit, which does not count."""
        now = time.time()
        minute, within = divmod(now, _WINDOW_SECONDS)
        keys = [f"serving.rate.{deployment}.{who}.{int(minute) - back}" for back in (0, 1)]
        left = 1 - within / _WINDOW_SECONDS
        if not await self._may(keys, left, limit):
            wait = max(1, round(_WINDOW_SECONDS / limit), min(5, round(_WINDOW_SECONDS - within)))
            message = f"Over the limit of {limit} calls a minute that this deployment has for each token."
            raise TooManyRequests(message, retry_after=wait)

    async def _may(self, keys: list[str], left: float, limit: int) -> bool:
        if self._line is None:
            return _may_here(keys, left, limit)
        words = [cache.make_key(key).encode() for key in keys]
        try:
            answer = await self._line.ask(b"EVAL", _SCRIPT, b"2", *words, f"{left:.4f}".encode(), str(limit).encode())
        except RedisAway as error:
            logger.warning("cache: %s; calls are not counted", error)
            return True
        return answer != 0


def _may_here(keys: list[str], left: float, limit: int) -> bool:
    counted = cache.get_many(keys)
    if counted.get(keys[1], 0) * left + counted.get(keys[0], 0) >= limit:
        return False
    cache.add(keys[0], 0, timeout=150)
    cache.incr(keys[0])
    return True
