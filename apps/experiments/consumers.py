"""Open pages of a run or an experiment, told what changed for as long as their person may know it."""

from __future__ import annotations

import asyncio
from abc import ABC
from contextlib import suppress
from typing import Any

import msgspec

from apps.accounts.consumers import CLOSED_TOO_LARGE, LivePage
from apps.core.actor import Actor
from apps.core.mlflow.wire import Int64
from apps.experiments import access, live
from apps.experiments.models import RunStatus
from apps.experiments.selectors import changes

# A page that says too often what it draws is answered no faster than this.
WATCH_SECONDS = 0.2
MAX_MESSAGE_BYTES = 16_384


class Watch(msgspec.Struct):
    """What a run's page says: the lines that it draws, by key, each with the step and time of its last point."""

    watch: dict[str, tuple[Int64, Int64]]


class _WatchedPage(LivePage, ABC):
    """One whose changes the thread of `live` tells, while it is watched."""

    def watch(self) -> None:
        live.pushes.watch(self.group())


class RunPage(_WatchedPage):
    """One run: status, latest values, the new points of the lines that the page draws, and which parts changed."""

    async def connect(self) -> None:
        self.seen = changes.Seen()
        self.is_running = False
        await super().connect()

    def group(self) -> str:
        return live.run_group(self._run_id())

    def look(self, actor: Actor, parts: frozenset[str]) -> dict[str, Any]:
        run = access.get_run(actor, self._run_id())
        self.is_running = run.status == RunStatus.RUNNING
        return changes.changes_of(run, parts, self.seen)

    def parts_of_a_look(self) -> frozenset[str]:
        return frozenset({"metrics"}) if self.is_running else frozenset()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if text_data is None or len(text_data) > MAX_MESSAGE_BYTES:
            await self.close(code=CLOSED_TOO_LARGE)
            return
        with suppress(msgspec.MsgspecError):
            said = msgspec.json.decode(text_data, type=Watch)
            changes.watch(self.seen, said.watch)
            await self.push(frozenset({"metrics"}))
        await asyncio.sleep(WATCH_SECONDS)

    async def run_touched(self, message: dict[str, Any]) -> None:
        await self.push(frozenset(message["parts"]))

    def _run_id(self) -> str:
        return str(self.scope["url_route"]["kwargs"]["run_id"])


class ExperimentPage(_WatchedPage):
    """The table of an experiment's runs: which of them changed; the page fetches its table again."""

    def group(self) -> str:
        return live.experiment_group(self._experiment_id())

    def look(self, actor: Actor, parts: frozenset[str]) -> dict[str, Any]:
        access.get_experiment(actor, self._experiment_id())
        return {}

    async def runs_touched(self, message: dict[str, Any]) -> None:
        if await self.push(frozenset()):
            await self._say({"runs": message["run_ids"]})

    def _experiment_id(self) -> int:
        return int(self.scope["url_route"]["kwargs"]["experiment_id"])
