"""One clock for all calls: a timer for each would cost each call more than it is worth."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


class Late(Exception):
    """It did not come in time."""


class Clock:
    """Ends what waits for too long, and does what is due for what takes longer than a moment, at the next `sweep`."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Task[object], float] = {}
        self._late: set[asyncio.Task[object]] = set()
        self._slow: dict[object, Callable[[], None]] = {}

    async def before(self, seconds: float, coming: Awaitable[T]) -> T:
        """What comes, awaited by the current task alone. Raises `Late`."""
        task = asyncio.current_task()
        if task is None:
            return await coming
        self._waiting[task] = asyncio.get_running_loop().time() + seconds
        try:
            return await coming
        except asyncio.CancelledError:
            if task not in self._late:
                raise
            task.uncancel()
            raise Late from None
        finally:
            self._waiting.pop(task, None)
            self._late.discard(task)

    def if_slow(self, key: object, work: Callable[[], None]) -> None:
        """Do something once, unless `key` is forgotten before the next sweep."""
        self._slow[key] = work

    def forget(self, key: object) -> None:
        """It was not slow, or is over."""
        self._slow.pop(key, None)

    def sweep(self, now: float) -> None:
        """Look who is late, and who is slow."""
        slow, self._slow = self._slow, {}
        for work in slow.values():
            work()
        for task, until in list(self._waiting.items()):
            if until < now:
                self._late.add(task)
                task.cancel()
