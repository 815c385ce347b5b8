"""The epoch of rights for the event loop: as `apps.accounts.epoch`, without a thread waiting for Redis."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from django.conf import settings
from django.core.cache import DEFAULT_CACHE_ALIAS, caches
from django.core.cache.backends.redis import RedisCache

from apps.accounts import epoch
from apps.deployments.gateway.redis_line import RedisLine, Reply
from apps.deployments.gateway.threads import Threads

logger = logging.getLogger(__name__)


# How long what Redis told is taken for what is, unless it tells of a change: a connection may die without a word.
CONFIRMED_SECONDS = 0.25


class Epochs:
    """Redis tells of each change of the epoch at once; it is asked all the same, four times a second while calls come.

    Where it does not tell, it is asked for each call, and one look serves all calls that came before it was sent.
    """

    def __init__(self, line: RedisLine | None, threads: Threads) -> None:
        self._line, self._threads = line, threads
        self._key = epoch.cache_key().encode() if line is not None else b""
        self._waiting: list[asyncio.Future[int]] = []
        self._told = epoch.UNKNOWN
        # By the loop's clock: when the question was sent that it was the answer to.
        self._asked_at = 0.0
        self._changes = 0
        if line is not None:
            line.on_change = self._forget

    def known(self, now: float) -> int:
        """The epoch where nobody has to be asked for it, else `UNKNOWN`; `now` is by the loop's clock."""
        if self._line is None:
            return epoch.current()
        is_told = self._line.is_tracking and now - self._asked_at < CONFIRMED_SECONDS
        return self._told if is_told else epoch.UNKNOWN

    async def current(self) -> int:
        """The epoch as of now, or `UNKNOWN` while the cache does not answer."""
        if self._line is None:
            return epoch.current()
        loop = asyncio.get_running_loop()
        if (known := self.known(loop.time())) != epoch.UNKNOWN:
            return known
        found: asyncio.Future[int] = loop.create_future()
        if not self._waiting:
            # In the loop's next round: whoever comes before that shares the look.
            loop.call_soon(self._look, self._line)
        self._waiting.append(found)
        return await found

    def _forget(self) -> None:
        self._told = epoch.UNKNOWN
        self._changes += 1

    def _look(self, line: RedisLine) -> None:
        waiting, self._waiting = self._waiting, []
        sent_at = asyncio.get_running_loop().time()
        asked = line.ask_soon(b"GET", self._key)
        asked.add_done_callback(partial(self._hear, waiting, sent_at, self._changes))

    def _hear(
        self, waiting: list[asyncio.Future[int]], sent_at: float, changes: int, asked: asyncio.Future[Reply]
    ) -> None:
        error = asked.exception()
        if error is not None:
            logger.warning("cache: %s", error)
            _tell(waiting, epoch.UNKNOWN)
        elif (found := asked.result()) is not None:
            if changes == self._changes:
                # Nothing was told since the question was sent: else this answer may be the older news.
                self._told, self._asked_at = int(found), sent_at
            _tell(waiting, int(found))
        else:
            self._first = asyncio.ensure_future(self._begin(waiting))

    async def _begin(self, waiting: list[asyncio.Future[int]]) -> None:
        """The cache was emptied, or is new."""
        found = epoch.UNKNOWN
        try:
            found = await self._threads.run(epoch.current)
        finally:
            _tell(waiting, found)


def _tell(waiting: list[asyncio.Future[int]], found: int) -> None:
    for told in waiting:
        if not told.done():
            told.set_result(found)


def line_of_cache() -> RedisLine | None:
    """A line to the Redis that the cache is in; None for a cache in this process."""
    if not isinstance(caches[DEFAULT_CACHE_ALIAS], RedisCache):
        return None
    return RedisLine(settings.REDIS_URL, tracked=epoch.cache_key().encode())
