"""Open pages of a project run, told how far it is and what it writes, for as long as their person may know it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Annotated, Any

import msgspec

from apps.accounts.consumers import CLOSED_TOO_LARGE, LivePage
from apps.core.actor import Actor
from apps.projects import access, live
from apps.projects.selectors.log_news import Seen, news_of

# A page that has one piece of the log is given the next no faster than this.
PIECE_SECONDS = 0.05
MAX_MESSAGE_BYTES = 1_024


class Have(msgspec.Struct):
    """What a page says: it has the log up to this byte, and waits for more. One word, one piece."""

    have: Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class ProjectRunPage(LivePage):
    """One run: its state, the line that is being written, and its log, piece by piece as the page takes it."""

    async def connect(self) -> None:
        self.seen = Seen()
        await super().connect()

    def group(self) -> str:
        return live.run_group(self._run_id())

    def watch(self) -> None:
        live.pushes.watch(self.group())

    def look(self, actor: Actor, parts: frozenset[str]) -> dict[str, Any]:
        return news_of(access.get_project_run(actor, self._run_id()), self.seen)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if text_data is None or len(text_data) > MAX_MESSAGE_BYTES:
            await self.close(code=CLOSED_TOO_LARGE)
            return
        with suppress(msgspec.MsgspecError):
            self.seen.have = msgspec.json.decode(text_data, type=Have).have
            await self.push(frozenset({"log"}))
        await asyncio.sleep(PIECE_SECONDS)

    async def run_touched(self, message: dict[str, Any]) -> None:
        await self.push(frozenset(message["parts"]))

    def _run_id(self) -> int:
        return int(self.scope["url_route"]["kwargs"]["run_id"])
