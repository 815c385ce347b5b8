"""Open pages, told what changed for as long as their person may know it. Apps say of what, in their `consumers.py`."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from typing import Any

import orjson
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError
from redis.exceptions import RedisError

from apps.accounts import sockets
from apps.core.actor import Actor
from apps.core.errors import DomainError, NotSignedIn

LOOK_SECONDS = 8
# A page has a socket of its own and one for the bell.
MAX_SOCKETS_OF_A_SESSION = 60
CLOSED_TOO_LARGE = 1009
CLOSED_TRY_LATER = 1013
CLOSED_NO_RIGHT = 4403

_open_sockets: Counter[str] = Counter()


class LivePage(AsyncWebsocketConsumer, ABC):  # type: ignore[misc]
    """Checks who opened the socket and from where, then again with each push and every few seconds."""

    session_key = ""
    # A page that needs to look less often than others says so.
    look_seconds: float | None = None
    _has_place = False
    _ticker: asyncio.Task[None] | None = None

    @abstractmethod
    def group(self) -> str:
        """The group to listen to."""

    @abstractmethod
    def look(self, actor: Actor, parts: frozenset[str]) -> dict[str, Any]:
        """The news for the actor. Raises a `DomainError` where the right is missing. Runs in a thread."""

    def watch(self) -> None:
        """Say that a page listens to the group, so that it is told. Called with each look, in a thread."""

    def parts_of_a_look(self) -> frozenset[str]:
        """What to look at when nothing was pushed for a while."""
        return frozenset()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Also where it ends without a word: the broker was away, or who opened it left before it was accepted.
            self._leave_place()
            if self._ticker is not None:
                self._ticker.cancel()

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
            await self.close()
            return
        await self.accept()
        await self._say(news)
        self._ticker = asyncio.create_task(self._look_from_time_to_time())

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        # Not every server tells that a socket is closed which it was told to close.
        self._leave_place()
        await super().close(code=code, reason=reason)

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
        self.watch()
        return news

    async def _look_from_time_to_time(self) -> None:
        while True:
            await asyncio.sleep(self.look_seconds or LOOK_SECONDS)
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
