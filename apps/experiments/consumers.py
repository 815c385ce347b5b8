"""Open pages of a run or an experiment, told what changed for as long as their person may know it."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from contextlib import suppress
from typing import Any

import msgspec
import orjson
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError
from redis.exceptions import RedisError

from apps.accounts import sockets
from apps.core.actor import Actor
from apps.core.errors import DomainError, NotSignedIn
from apps.core.mlflow.wire import Int64
from apps.experiments import access, live
from apps.experiments.models import RunStatus
from apps.experiments.selectors import changes

LOOK_SECONDS = 8
# A page that says too often what it draws is answered no faster than this.
WATCH_SECONDS = 0.2
MAX_MESSAGE_BYTES = 16_384
MAX_SOCKETS_OF_A_SESSION = 30
CLOSED_TOO_LARGE = 1009
CLOSED_TRY_LATER = 1013
CLOSED_NO_RIGHT = 4403

_open_sockets: Counter[str] = Counter()


class Watch(msgspec.Struct):
    """What a run's page says: the lines that it draws, by key, each with the step and time of its last point."""

    watch: dict[str, tuple[Int64, Int64]]


class LivePage(AsyncWebsocketConsumer, ABC):  # type: ignore[misc]
    """Checks who opened the socket and from where, then again with each push and every few seconds."""

    session_key = ""
    _has_place = False
    _ticker: asyncio.Task[None] | None = None

    @abstractmethod
    def group(self) -> str:
        """The group to listen to."""

    @abstractmethod
    def look(self, actor: Actor, parts: frozenset[str]) -> dict[str, Any]:
        """The news for the actor. Raises a `DomainError` where the right is missing. Runs in a thread."""

    def parts_of_a_look(self) -> frozenset[str]:
        """What to look at when nothing was pushed for a while."""
        return frozenset()

    async def connect(self) -> None:
        self.session_key = sockets.session_key_of(self.scope)
        self._looking = asyncio.Lock()
        if not sockets.is_from_our_page(self.scope) or not self._take_place():
            await self.close()
            return
        try:
            news = await self._news(frozenset())
            await self.channel_layer.group_add(self.group(), self.channel_name)
        except (DomainError, DatabaseError, RedisError):
            self._leave_place()
            await self.close()
            return
        await self.accept()
        await self._say(news)
        self._ticker = asyncio.create_task(self._look_from_time_to_time())

    async def disconnect(self, code: int) -> None:
        self._leave_place()
        if self._ticker is not None:
            self._ticker.cancel()
            await self.channel_layer.group_discard(self.group(), self.channel_name)

    async def push(self, parts: frozenset[str]) -> bool:
        """Look, and send what is new. False, and closed, where the right has gone or the database is away."""
        try:
            async with self._looking:
                news = await self._news(parts)
        except DomainError:
            await self._say({"gone": True})
            await self.close(code=CLOSED_NO_RIGHT)
            return False
        except DatabaseError:
            await self.close(code=CLOSED_TRY_LATER)
            return False
        await self._say(news)
        return True

    async def _say(self, news: dict[str, Any]) -> None:
        if news:
            await self.send(orjson.dumps(news).decode())

    async def _news(self, parts: frozenset[str]) -> dict[str, Any]:
        news: dict[str, Any] = await database_sync_to_async(self._look_as_whoever_it_is)(parts)
        return news

    def _look_as_whoever_it_is(self, parts: frozenset[str]) -> dict[str, Any]:
        actor = sockets.actor_of_session(self.session_key)
        if actor is None:
            raise NotSignedIn
        news = self.look(actor, parts)
        live.watch(self.group())
        return news

    async def _look_from_time_to_time(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if not await self.push(self.parts_of_a_look()):
                return

    def _take_place(self) -> bool:
        self._has_place = _open_sockets[self.session_key] < MAX_SOCKETS_OF_A_SESSION
        if self._has_place:
            _open_sockets[self.session_key] += 1
        return self._has_place

    def _leave_place(self) -> None:
        if self._has_place:
            self._has_place = False
            _open_sockets[self.session_key] -= 1
        if not _open_sockets[self.session_key]:
            del _open_sockets[self.session_key]


class RunPage(LivePage):
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


class ExperimentPage(LivePage):
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
