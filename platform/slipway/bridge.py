"""Runs a WSGI application behind an ASGI server, on pools of threads (see docs/adr/0002).

A body of up to `BUFFERED` bytes is gathered on the event loop, so that a slow caller costs no thread, and an answer
that is whole goes back with the thread's result: the common call crosses between loop and thread once each way. Bigger
bodies and streamed answers cross once for each chunk, one chunk ahead of the other side and no more.
"""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

from slipway.environ import CHUNK, Environ, Scope, environ_of

logger = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
WsgiApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
T = TypeVar("T")

BUFFERED = 1024 * 1024
WAIT_SECONDS = 60
DRAINED_AT_MOST = 64 * 1024 * 1024
MAX_HEADER_BYTES = 64 * 1024
MAX_URL_BYTES = 32 * 1024
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class ClientGone(ConnectionError):
    """The client closed the connection, or was silent for too long."""


class Bridge:
    """The ASGI application over `app`. `pool_for(path)` gives the pool that a request runs on.

    `before_waiting` is called in the thread before it begins to wait for the network: time to give back what is scarce.
    """

    def __init__(
        self, app: WsgiApp, pool_for: Callable[[str], Executor], before_waiting: Callable[[], object] = lambda: None
    ) -> None:
        self.app = app
        self.pool_for = pool_for
        self.before_waiting = before_waiting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if refusal := _refusal(scope):
            await _send_whole(send, *refusal)
            return
        try:
            await self._answer(scope, receive, send)
        except ClientGone:
            logger.debug("the client of %s is gone", scope["path"])

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = await _gather(scope, receive) if _has_body(scope) else (b"", False)
        loop = asyncio.get_running_loop()
        exchange = _Exchange(self, scope, receive, send, loop, body, more)
        # In the context of the thread, not a new one: Django keeps its connections to the cache there.
        await loop.run_in_executor(self.pool_for(scope["path"]), exchange.run)
        await exchange.finish()


class _Exchange:
    """One request and its answer. `run` is the thread's part, all else is the event loop's."""

    def __init__(
        self,
        bridge: Bridge,
        scope: Scope,
        receive: Receive,
        send: Send,
        loop: asyncio.AbstractEventLoop,
        body: bytes,
        more: bool,
    ) -> None:
        self.bridge, self.scope, self.loop = bridge, scope, loop
        self.receive, self.send = receive, send
        self.body, self.input = body, _StreamedInput(body, self) if more else None
        self.status, self.headers = 500, [(b"content-length", b"0")]
        self.whole: bytes | None = b""
        self.gone = False

    def run(self) -> None:
        """Call the application and take its answer: whole where it is whole, else chunk by chunk."""
        answer = self.bridge.app(self._environ(), self._start)
        try:
            if self.scope["method"] == "HEAD" or self.status in (204, 304):
                self.whole = b""
            elif getattr(answer, "streaming", True):
                self._stream(answer)
            else:
                self.whole = b"".join(answer)
        finally:
            if close := getattr(answer, "close", None):
                close()

    def _environ(self) -> Environ:
        if self.input:
            return environ_of(self.scope, io.BufferedReader(self.input, CHUNK), None)
        return environ_of(self.scope, io.BytesIO(self.body), len(self.body))

    async def finish(self) -> None:
        """Send what the thread left, after reading what the application left of the body."""
        if self.input and not await self.input.drain():
            self.headers = [*self.headers, (b"connection", b"close")]
        if self.whole is not None:
            await _send_whole(self.send, self.status, self.headers, self.whole)

    def wait_for(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine on the loop, from the thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    async def pull(self) -> tuple[bytes, bool]:
        """The next piece of the body, and whether more follow."""
        return await _next_piece(self.receive)

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        self.status = int(status[:3])
        self.headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]

    def _stream(self, answer: Iterable[bytes]) -> None:
        self.whole = None
        self.bridge.before_waiting()
        watch = None if self.input else self.wait_for(self._watch())
        try:
            pending = self.wait_for(self._send_start())
            for chunk in answer:
                _result(pending)
                if self.gone:
                    raise ClientGone
                pending = self.wait_for(self._send_chunk(chunk, more=True))
            _result(pending)
            _result(self.wait_for(self._send_chunk(b"", more=False)))
        finally:
            if watch:
                watch.cancel()

    async def _watch(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass
        self.gone = True

    async def _send_start(self) -> None:
        await self.send({"type": "http.response.start", "status": self.status, "headers": self.headers})

    async def _send_chunk(self, chunk: bytes, *, more: bool) -> None:
        await self.send({"type": "http.response.body", "body": bytes(chunk), "more_body": more})


class _StreamedInput(io.RawIOBase):
    """The body of a request as a file that the thread reads; it waits `WAIT_SECONDS` for each piece."""

    def __init__(self, first: bytes, exchange: _Exchange) -> None:
        self._rest, self._exchange = memoryview(first), exchange
        self._next: Future[tuple[bytes, bool]] | None = exchange.wait_for(exchange.pull())

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest and self._next:
            if not self._next.done():
                self._exchange.bridge.before_waiting()
            piece, more = _result(self._next)
            self._rest = memoryview(piece)
            self._next = self._exchange.wait_for(self._exchange.pull()) if more else None
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    async def drain(self) -> bool:
        """Read on to the end, so that a client still sending gets to read the answer; False where it is long."""
        size = 0
        while self._next:
            piece, more = await asyncio.wrap_future(self._next)
            size += len(piece)
            enough = size > DRAINED_AT_MOST
            self._next = self._exchange.wait_for(self._exchange.pull()) if more and not enough else None
            if enough:
                return False
        return True


def _has_body(scope: Scope) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])


async def _gather(scope: Scope, receive: Receive) -> tuple[bytes, bool]:
    pieces, size, more = [], 0, True
    while more and size < BUFFERED:
        piece, more = await _next_piece(receive)
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces), more


async def _next_piece(receive: Receive) -> tuple[bytes, bool]:
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            message = await receive()
    except TimeoutError as error:
        raise ClientGone("the body did not come in time") from error
    if message["type"] == "http.disconnect":
        raise ClientGone("the body ended before it was complete")
    return message.get("body", b""), message.get("more_body", False)


def _result(future: Future[T]) -> T:
    try:
        return future.result(WAIT_SECONDS)
    except TimeoutError as error:
        future.cancel()
        raise ClientGone("the client does not take the answer") from error


Headers = list[tuple[bytes, bytes]]


def _refusal(scope: Scope) -> tuple[int, Headers, bytes] | None:
    """Django has no limits for these, and takes any word for a method."""
    if scope["method"] not in METHODS:
        return _error(405, b"This method is not taken here.", (b"allow", ", ".join(sorted(METHODS)).encode()))
    if len(scope.get("raw_path") or scope["path"]) + len(scope["query_string"]) > MAX_URL_BYTES:
        return _error(414, b"The URL is too long.")
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADER_BYTES:
        return _error(431, b"The headers are too long.")
    return None


def _error(status: int, message: bytes, *more: tuple[bytes, bytes]) -> tuple[int, Headers, bytes]:
    body = b'{"error_code":"BAD_REQUEST","message":"' + message + b'"}'
    return status, [(b"content-type", b"application/json"), (b"connection", b"close"), *more], body


async def _send_whole(send: Send, status: int, headers: Headers, body: bytes) -> None:
    if body and not any(name == b"content-length" for name, _ in headers):
        headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
