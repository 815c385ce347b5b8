"""One connection to an instance: HTTP/1.1 over asyncio and httptools, one request at a time.

Own code, since a call of one row costs the common client libraries more than it costs the model (docs/adr/0013).
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import httptools

HEAD_LIMIT = 64 * 1024
# Bytes in a row that bring neither a head nor a piece of a body. The parser keeps a header whole that does not end, and
# copies it with each read: without this a model could hold up the loop for all.
_FRUITLESS_LIMIT = 2 * HEAD_LIMIT
# What may wait here of an answer that its caller takes slowly.
_HELD_BYTES = 512 * 1024
_TCP_CLOSED = 7
_ASKED_FOR_RESET = 3
_RESET_SECONDS = 0.05


class Lost(Exception):
    """The connection ended before the answer was complete.

    `unread`: what was sent was not read to its end by whoever listens there, so no model has seen it.
    """

    def __init__(self, message: str, *, unread: bool = False) -> None:
        super().__init__(message)
        self.unread = unread


class TimedOut(Exception):
    """No answer, or no more of it, within the time for it."""


class CallerLeft(Exception):
    """Whoever asked is not there any more, so nobody waits for the answer."""


class Connection(asyncio.Protocol):
    """Send a request, wait for the `head`, take `piece` by piece. `release` is called once it is idle or gone."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.parser = httptools.HttpResponseParser(self)
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.idle_since = 0.0
        self.was_used = False
        # By the loop's clock; 0: nothing is waited for.
        self.deadline = 0.0
        self.is_whole = self._has_head = self._may_stay = False
        self._got_bytes = self._ends_by_length = False
        self._pieces: deque[bytes] = deque()
        self._held = self._head_size = self._fruitless = 0
        self._waiter: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self._is_paused = self._is_busy = False
        self._writable: asyncio.Future[None] | None = None
        self._clogged = False
        self.on_gone: Callable[[Connection], None] | None = None
        # Called instead of waking who waits, with each news: bytes, an end, an error.
        self.on_news: Callable[[], None] | None = None

    # What who asks calls

    @property
    def is_open(self) -> bool:
        """Whether a request can be sent."""
        return self.transport is not None and not self.transport.is_closing()

    @property
    def has_failed(self) -> bool:
        """Whether there is no (more) answer: whoever waits hears why."""
        return self._error is not None

    @property
    def may_stay(self) -> bool:
        """Whether another request may follow on it: not where somebody's answer was not taken to its end."""
        return self.is_whole and self._may_stay and self._error is None and not self._pieces and self.is_open

    def begin(self, data: bytes) -> None:
        """Send the beginning of a request, or all of it."""
        self.status, self.headers = 0, []
        self.is_whole = self._has_head = self._got_bytes = self._ends_by_length = False
        self._head_size = self._fruitless = 0
        self._is_busy = True
        if self.transport is not None:
            self.transport.write(data)

    async def send(self, data: bytes) -> None:
        """Send more of it, as fast as the other side takes it. Raises `Lost`."""
        if self._error is not None or self.transport is None:
            raise self._error or Lost("closed")
        self.transport.write(data)
        if self._clogged:
            self._writable = asyncio.get_running_loop().create_future()
            await self._writable
            if self._error is not None:
                raise self._error

    @property
    def has_head(self) -> bool:
        """Whether the head of the answer is there."""
        return self._has_head

    async def head(self) -> None:
        """Wait for status and headers. Raises `Lost`, `TimedOut` and `CallerLeft`."""
        while not self._has_head:
            await self._wait()

    async def piece(self) -> bytes:
        """The next piece of the answer's body; empty at its end. Raises `Lost`, `TimedOut` and `CallerLeft`."""
        while not self._pieces:
            if self.is_whole:
                return b""
            await self._wait()
        found = self._pieces.popleft()
        self._held -= len(found)
        if self._held < _HELD_BYTES // 2:
            self._read_on()
        return found

    def rest(self) -> bytes:
        """All of the body that is there."""
        pieces = self._pieces
        if len(pieces) == 1:
            found = pieces.popleft()
        else:
            found = b"".join(pieces)
            pieces.clear()
        self._held = 0
        self._read_on()
        return found

    def settle(self) -> None:
        """The answer was taken: be ready for another request."""
        self._is_busy = False
        self.was_used = True
        self.deadline = 0.0

    def spoil(self) -> None:
        """Let no other request follow: this one was not sent to its end."""
        self._may_stay = False

    def abort(self) -> None:
        """End it, whatever is on its way."""
        self.on_gone = None
        self.give_up(Lost("given up"))

    def give_up(self, why: Exception) -> None:
        """Who waits for it gets this error: its time is over, or its caller left."""
        self._fail(why)
        if self.transport is not None:
            self.transport.abort()

    # What the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if not self._is_busy or self.is_whole:
            # Nobody asked: whatever it is, it must not become the answer to the next request.
            self.give_up(Lost("bytes that nobody asked for"))
            return
        self._got_bytes = True
        self._fruitless += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.give_up(Lost("a change of protocol"))
        except httptools.HttpParserError as error:
            self.give_up(Lost(f"not HTTP: {error}"))
        if self._fruitless > _FRUITLESS_LIMIT:
            self.give_up(Lost("too long a head"))
        self._wake()

    def eof_received(self) -> bool:
        if self._has_head and not self.is_whole and not self._ends_by_length and self._error is None:
            self.is_whole, self._may_stay = True, False
            self._wake()
        elif self._is_busy and not self._got_bytes and self._is_tcp():
            self._await_reset(_ASKED_FOR_RESET)
            return True
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(Lost(str(exc) if exc else "closed", unread=not self._got_bytes and _is_unread(exc)))
        self.transport = None
        if self.on_gone is not None:
            self.on_gone(self)

    def pause_writing(self) -> None:
        self._clogged = True

    def resume_writing(self) -> None:
        self._clogged = False
        self._free_writer()

    # What the parser calls

    def on_message_begin(self) -> None:
        if self.is_whole:
            raise ValueError("an answer that nobody asked for")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_size += len(name) + len(value)
        if self._head_size > HEAD_LIMIT:
            raise ValueError("too long a head")
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.status = self.parser.get_status_code()
        if self.status > 599:
            raise ValueError("no status")
        if self.status < 200:
            self.headers.clear()
            return
        self._has_head = True
        self._fruitless = 0
        self._ends_by_length = any(name in (b"content-length", b"transfer-encoding") for name, _ in self.headers)

    def on_body(self, body: bytes) -> None:
        self._pieces.append(body)
        self._fruitless = 0
        self._held += len(body)
        if self._held > _HELD_BYTES and not self._is_paused and self.transport is not None:
            self._is_paused = True
            self.transport.pause_reading()

    def on_message_complete(self) -> None:
        if self._has_head:
            self.is_whole = True
            self._may_stay = self.parser.should_keep_alive()

    # Within

    def _read_on(self) -> None:
        if self._is_paused and self.transport is not None:
            self._is_paused = False
            self.transport.resume_reading()

    async def _wait(self) -> None:
        if self._error is not None:
            raise self._error
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self.on_news is not None:
            self.on_news()
        elif self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _free_writer(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)

    def _fail(self, error: Exception) -> None:
        self._error = self._error or error
        self._wake()
        self._free_writer()

    def _is_tcp(self) -> bool:
        found = self._socket()
        return found is not None and found.family != getattr(socket, "AF_UNIX", None)

    def _socket(self) -> Any:
        return self.transport.get_extra_info("socket") if self.transport is not None else None

    def _await_reset(self, times: int) -> None:
        """Look whether the other side refuses what was sent to it: its refusal comes a moment after its end.

        The kernel of who closed a connection answers bytes that were not read with a reset, and others not at all.
        """
        found = self._socket()
        if found is None or self.transport is None:
            return
        if found.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _TCP_CLOSED:
            self._fail(Lost("reset", unread=not self._got_bytes))
        elif times:
            asyncio.get_running_loop().call_later(_RESET_SECONDS, self._await_reset, times - 1)
            return
        self.transport.abort()


def _is_unread(exc: Exception | None) -> bool:
    """Whether an end says that bytes of ours were not read.

    It comes as a reset or a broken pipe then, and as a plain end of the stream where all of them were.
    """
    return isinstance(exc, OSError) and exc.errno in (errno.ECONNRESET, errno.EPIPE)
