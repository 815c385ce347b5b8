"""Where the gateway's few questions to the database are asked: never on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TypeVar

from django.db import close_old_connections

T = TypeVar("T")


class Threads:
    """A pool of a few, each with a connection to the database that it gives back after each question."""

    def __init__(self, executor: Executor | None = None) -> None:
        self._executor = executor or ThreadPoolExecutor(4, "gateway")

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` gives, from a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, _with_database, work)

    def close(self) -> None:
        """Take nothing new."""
        self._executor.shutdown(wait=False, cancel_futures=True)


def _with_database(work: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return work()
    finally:
        close_old_connections()
