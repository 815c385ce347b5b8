"""Keeps the table as new as the database's, and writes down what was counted."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from apps.deployments.gateway import counting
from apps.deployments.gateway.clock import Clock
from apps.deployments.gateway.counting import Counts
from apps.deployments.gateway.loading import read_epoch, read_table
from apps.deployments.gateway.table import EMPTY, Table
from apps.deployments.gateway.threads import Threads
from apps.deployments.gateway.upstream import Upstream

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
WRITE_SECONDS = 2.0
_SWEEP_SECONDS = 0.25
# What a caller may wait for a look, where it would get no answer else; and how often such looks are made at the most.
_HURRY_SECONDS = 2.0
_HURRIED_EVERY = 0.05


class Watch:
    """`table` is what is known now. While the database is away, that goes on to be used."""

    def __init__(self, threads: Threads, counts: Counts, clock: Clock) -> None:
        self.table: Table = EMPTY
        self._threads, self._counts, self._clock = threads, counts, clock
        self._upstreams: dict[tuple[int, str, str], Upstream] = {}
        # Those that are in no table any more, until what they have in hand is answered.
        self._leaving: set[Upstream] = set()
        self._looking: asyncio.Task[None] | None = None
        self._looked_at = 0.0
        self._is_away = False
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def has_begun(self) -> bool:
        """Whether the table was ever read."""
        return self.table is not EMPTY

    def start(self) -> None:
        """Look and write from now on."""
        for work in (self._look_for_ever, self._write_for_ever, self._sweep_for_ever):
            self._tasks.append(asyncio.get_running_loop().create_task(work()))

    async def stop(self) -> None:
        """Write down what is left."""
        for task in self._tasks:
            task.cancel()
        await self.write()
        for upstream in [*self._upstreams.values(), *self._leaving]:
            upstream.close()

    async def refresh(self) -> None:
        """Look now, with others who want the same; return after a while, also where the database does not answer."""
        loop = asyncio.get_running_loop()
        if self._looking is None or self._looking.done():
            wait = self._looked_at + _HURRIED_EVERY - loop.time()
            self._looking = loop.create_task(self._look(wait if self.has_begun else 0.0))
        try:
            async with asyncio.timeout(_HURRY_SECONDS):
                await asyncio.shield(self._looking)
        except TimeoutError:
            logger.warning("the database is slow to say what deployments there are")

    async def write(self) -> None:
        """Add what was counted to the rows."""
        counted = self._counts.take()
        if counted:
            self._counts.put_back(await self._threads.run(partial(counting.write, counted)))

    async def _look(self, wait: float) -> None:
        if wait > 0:
            await asyncio.sleep(wait)
        self._looked_at = asyncio.get_running_loop().time()
        try:
            found = await self._threads.run(self._newer)
        except Exception as error:  # noqa: BLE001 - whatever it is, calls go on by what is known
            if not self._is_away:
                logger.warning("what deployments there are can't be read, so the last that is known goes on: %s", error)
            self._is_away = True
            return
        self._is_away = False
        if found is not None:
            self._use(found)

    def _newer(self) -> Table | None:
        """In a thread: the table where it has changed."""
        if self.has_begun and read_epoch() == self.table.epoch:
            return None
        return read_table(self._find, self.table)

    def _find(self, pk: int, address: str, key: str) -> Upstream:
        known = self._upstreams.get((pk, address, key))
        return known or Upstream(pk, address, key)

    def _use(self, table: Table) -> None:
        there = {(each.pk, each.address, each.key): each for each in table.upstreams()}
        for key, upstream in self._upstreams.items():
            if key not in there:
                upstream.close()
                self._leaving.add(upstream)
        self.table, self._upstreams = table, there

    async def _look_for_ever(self) -> None:
        while True:
            await self.refresh()
            await asyncio.sleep(LOOK_SECONDS)

    async def _write_for_ever(self) -> None:
        while True:
            await asyncio.sleep(WRITE_SECONDS)
            await self.write()

    async def _sweep_for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            self._clock.sweep(loop.time())
            for upstream in [*self._upstreams.values(), *self._leaving]:
                upstream.sweep(loop.time())
            self._leaving = {upstream for upstream in self._leaving if upstream.in_hand}
