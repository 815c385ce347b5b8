"""A connection to Redis for the event loop: commands of a few words, pipelined, each answered in turn."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, cast

from redis.connection import SSLConnection, parse_url

from apps.deployments.gateway import resp

logger = logging.getLogger(__name__)

_SECONDS = 2.0

Reply = bytes | int | None


class RedisAway(Exception):
    """Redis did not answer, or with an error."""


class RedisLine:
    """Connects at the first command, and anew after an error.

    With `tracked`, Redis tells of each change of a key that begins so, in the order in which it answers: `is_tracking`
    where it does, and `on_change` is called then, and when the connection ends.
    """

    def __init__(self, url: str, tracked: bytes = b"") -> None:
        self._options: dict[str, Any] = dict(parse_url(url))  # type: ignore[no-untyped-call]
        self._tracked = tracked
        self._line: _Line | None = None
        self._connecting: asyncio.Lock | None = None
        self.is_tracking = False
        self.on_change: Callable[[], None] = lambda: None

    async def ask(self, *words: bytes) -> Reply:
        """What a command is answered. Raises `RedisAway`."""
        line = self._line
        if line is None or line.is_gone:
            line = await self._connected()
        return await line.ask(words)

    def ask_soon(self, *words: bytes) -> asyncio.Future[Reply]:
        """As `ask`, for who does not wait."""
        line = self._line
        if line is not None and not line.is_gone:
            return line.ask(words)
        return asyncio.ensure_future(self.ask(*words))

    def close(self) -> None:
        """End the connection."""
        if self._line is not None:
            self._line.end("closed")
            self._line = None

    async def _connected(self) -> _Line:
        self._connecting = self._connecting or asyncio.Lock()
        async with self._connecting:
            if self._line is not None and not self._line.is_gone:
                return self._line
            try:
                async with asyncio.timeout(_SECONDS):
                    line = await self._connect()
                    await self._introduce(line)
                    await self._track(line)
            except (OSError, TimeoutError) as error:
                raise RedisAway(str(error) or "it took too long") from error
            self._line = line
            return line

    async def _connect(self) -> _Line:
        loop, options = asyncio.get_running_loop(), self._options

        def make() -> _Line:
            return _Line(self._changed)

        if "path" in options:
            return (await loop.create_unix_connection(make, options["path"]))[1]
        context = ssl.create_default_context() if options.get("connection_class") is SSLConnection else None
        host, port = options.get("host", "localhost"), int(options.get("port", 6379))
        return (await loop.create_connection(make, host, port, ssl=context))[1]

    async def _introduce(self, line: _Line) -> None:
        options = self._options
        if options.get("password"):
            names = [options["username"]] if options.get("username") else []
            await line.ask([b"AUTH", *(word.encode() for word in [*names, options["password"]])])
        if options.get("db"):
            await line.ask([b"SELECT", str(options["db"]).encode()])

    async def _track(self, line: _Line) -> None:
        """Old servers can't, and some let nobody: then keys are asked for each time."""
        self.is_tracking = False
        if not self._tracked:
            return
        try:
            await line.ask([b"HELLO", b"3"])
            await line.ask([b"CLIENT", b"TRACKING", b"ON", b"BCAST", b"PREFIX", self._tracked])
        except RedisAway as error:
            logger.info("cache: it does not tell of changes: %s", error)
            if line.is_gone:
                raise
        else:
            self.is_tracking = True

    def _changed(self, is_gone: bool) -> None:
        if is_gone:
            self.is_tracking = False
        self.on_change()


class _Line(asyncio.Protocol):
    """What is asked goes out at once, and answers come in the order of the questions."""

    def __init__(self, on_change: Callable[[bool], None]) -> None:
        self.is_gone = False
        self._on_change = on_change
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[asyncio.Future[Reply]] = deque()
        self._rest = b""
        self._timer: asyncio.TimerHandle | None = None

    def ask(self, words: Sequence[bytes]) -> asyncio.Future[Reply]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Reply] = loop.create_future()
        if self._transport is None or self.is_gone:
            answer.set_exception(RedisAway("closed"))
            return answer
        self._waiting.append(answer)
        if self._timer is None:
            self._timer = loop.call_later(_SECONDS, self._look, answer)
        self._transport.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(w), w) for w in words))
        return answer

    def end(self, why: str) -> None:
        """Nobody gets an answer any more."""
        if not self.is_gone:
            self.is_gone = True
            self._on_change(True)
        if self._timer is not None:
            self._timer.cancel()
        while self._waiting:
            _settle(self._waiting.popleft(), RedisAway(why))
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.end(str(exc or "it closed the connection"))

    def data_received(self, data: bytes) -> None:
        data = self._rest + data if self._rest else data
        start = 0
        try:
            while start < len(data) and (said := resp.read(data, start)) is not None:
                start = said.end
                if said.is_push:
                    self._on_change(False)
                elif self._waiting:
                    _settle(self._waiting.popleft(), RedisAway(str(said.value)) if said.is_error else said.value)
                else:
                    raise ValueError("an answer that nobody asked for")
        except ValueError as error:
            self.end(str(error))
        self._rest = data[start:]

    def _look(self, oldest: asyncio.Future[Reply]) -> None:
        """Whoever was first in line when this was set up has been answered, or nobody will be."""
        self._timer = None
        if not oldest.done():
            self.end("it took too long")
        elif self._waiting:
            self._timer = asyncio.get_running_loop().call_later(_SECONDS, self._look, self._waiting[0])


def _settle(answer: asyncio.Future[Reply], reply: Reply | RedisAway) -> None:
    if answer.done():
        return
    if isinstance(reply, RedisAway):
        answer.set_exception(reply)
        answer.exception()  # it was looked at: who asked may be gone
    else:
        answer.set_result(reply)
