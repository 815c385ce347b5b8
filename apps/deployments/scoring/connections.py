"""HTTP/1.1 over httptools: connections, with their limits. Requests go to a handler one at a time for each connection.

An own protocol, since through ASGI a request of one row costs more for its way than for its prediction: measured on two
cores with a trivial handler, 30,000 requests a second here, 13,000 by uvicorn with the same parser, 7,000 by granian.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Callable, cast

import httptools

from .calls import Answer, Request, problem, rendered
from .config import Config

HEAD_LIMIT = 64 * 1024
#: Bytes in a row that bring neither a head nor a piece of a body. The parser keeps a header whole that does not end,
#: and copies it with each read: who sends one could hold up the loop for all.
FRUITLESS_LIMIT = 2 * HEAD_LIMIT
#: How long a request may take to arrive, from its first byte; and how long a refused caller may go on sending.
ARRIVAL_S, LINGER_S = 60.0, 5.0
#: Requests that a connection may have sent ahead of its answers.
AHEAD = 16


class Doorman:
    """What the connections of a worker share: limits, who is there, who handles a request, who is told that its caller
    left before it was answered, and who says by its head alone that it is refused.
    """

    def __init__(
        self,
        config: Config,
        handle: Callable[[Request], None],
        left: Callable[[Request], None],
        refusal: Callable[[Request], Answer | None],
    ) -> None:
        self.config, self.handle, self.left, self.refusal = config, handle, left, refusal
        self.connections: set[Connection] = set()
        self.body_bytes = 0
        self.closing = False

    def close_idle(self) -> None:
        """From now on answers end their connections; those with no request are closed."""
        self.closing = True
        for connection in list(self.connections):
            connection.close_if_idle()

    def sweep(self, now: float) -> None:
        """Close whoever has been idle for too long, or takes too long to send."""
        for connection in list(self.connections):
            connection.check(now)


class Connection(asyncio.Protocol):
    def __init__(self, doorman: Doorman) -> None:
        self.doorman = doorman
        self.parser = httptools.HttpRequestParser(self)
        self.transport: asyncio.Transport | None = None
        self.waiting: deque[Request] = deque()
        self.current: Request | None = None
        self.coming: Request | None = None
        self.chunks: list[bytes] = []
        self.size = self.head = self.fruitless = 0
        self.url = b""
        self.since = time.monotonic()
        self.refused = self.clogged = False

    # What the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.doorman.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self._forget_body()
        self.waiting.clear()
        self.doorman.connections.discard(self)
        if self.current is not None:
            self.current.answered = True
            self.doorman.left(self.current)

    def data_received(self, data: bytes) -> None:
        if self.refused:
            return
        if self.coming is None:
            self.since = time.monotonic()
        self.fruitless += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(problem(400, "BAD_REQUEST", "This server does not change protocols."))
        except httptools.HttpParserError:
            if not self.refused:
                self._refuse(problem(400, "BAD_REQUEST", "This is not a valid HTTP request."))
        if self.fruitless > FRUITLESS_LIMIT and not self.refused:
            self._refuse(_too_long_a_head())

    def pause_writing(self) -> None:
        self.clogged = True

    def resume_writing(self) -> None:
        self.clogged = False
        if self.current is None:
            self._next()

    # What the parser calls

    def on_message_begin(self) -> None:
        self.coming = Request(self, b"", b"", b"")
        self.url, self.head = b"", 0

    def on_url(self, url: bytes) -> None:
        self.url += url
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.coming is None:
            return
        # With its colon and line end: very many very short ones would be joined for long.
        self._count_head(len(name) + len(value) + 4)
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue" and self.transport is not None:
            self.coming.headers[name] = value
        elif name in self.coming.headers:
            self.coming.headers[name] += b", " + value
        else:
            self.coming.headers[name] = value

    def on_headers_complete(self) -> None:
        request = self.coming
        if request is None or self.refused:
            return
        self.fruitless = 0
        request.method = self.parser.get_method()
        request.path, _, request.query = self.url.partition(b"?")
        refusal = self.doorman.refusal(request)
        if refusal is not None:
            self._refuse(refusal)
            return
        length = request.headers.get(b"content-length")
        if length is not None and length.isdigit() and not self._may_hold(int(length)):
            return
        if b"expect" in request.headers and self.transport is not None:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        if self.refused or not self._may_hold(self.size + len(body)):
            return
        self.fruitless = 0
        self.size += len(body)
        self.doorman.body_bytes += len(body)
        self.chunks.append(body)

    def on_message_complete(self) -> None:
        request = self.coming
        if request is None or self.refused:
            return
        request.keep_alive = self.parser.should_keep_alive()
        request.body = self.chunks[0] if len(self.chunks) == 1 else b"".join(self.chunks)
        self._forget_body()
        self.coming = None
        if self.current is not None or self.waiting or self.clogged:
            self.waiting.append(request)
            if len(self.waiting) >= AHEAD and self.transport is not None:
                self.transport.pause_reading()
        else:
            self._begin(request)

    # Answers

    def send(self, request: Request, answer: Answer) -> None:
        """Write the answer of the current request, and begin with the next one that has come."""
        if self.transport is None:
            return
        keep = request.keep_alive and not self.doorman.closing
        self.transport.write(rendered(answer, keep, request.method == b"HEAD"))
        self.current = None
        self.since = time.monotonic()
        if not keep:
            self.waiting.clear()
            self.transport.close()
        elif self.waiting and not self.clogged:
            self._next()

    def close_if_idle(self) -> None:
        if self.current is None and self.coming is None and self.transport is not None:
            self.transport.close()

    def check(self, now: float) -> None:
        """Close where nothing came for too long."""
        if self.transport is None or self.current is not None:
            return
        waited = now - self.since
        if self.refused:
            if waited > LINGER_S:
                self.transport.abort()
        elif self.coming is not None:
            if waited > ARRIVAL_S + self.size / 1_000_000:
                self._refuse(problem(408, "BAD_REQUEST", "The request took too long to arrive."))
        elif waited > self.doorman.config.keepalive_s:
            self.transport.close()

    def _next(self) -> None:
        if self.waiting and self.transport is not None:
            following = self.waiting.popleft()
            self.transport.resume_reading()
            self._begin(following)

    def _begin(self, request: Request) -> None:
        self.current = request
        request.arrived = time.monotonic()
        self.doorman.handle(request)

    def _count_head(self, size: int) -> None:
        self.head += size
        if self.head > HEAD_LIMIT and not self.refused:
            self._refuse(_too_long_a_head())

    def _may_hold(self, size: int) -> bool:
        config = self.doorman.config
        if size > config.max_body_bytes:
            message = f"The body is larger than {config.max_body_bytes} bytes, the limit of this server."
            self._refuse(problem(413, "INVALID_PARAMETER_VALUE", message))
            return False
        if self.doorman.body_bytes - self.size + size > config.max_bodies_bytes:
            message = "The server holds as many large requests as it may. Try again."
            self._refuse(problem(429, "REQUEST_LIMIT_EXCEEDED", message, ((b"Retry-After", b"1"),)))
            return False
        return True

    def _refuse(self, answer: Answer) -> None:
        """Answer before the request is whole, and end. What is still sent is read and dropped for a while, so that a
        caller who looks only after sending everything gets to see the answer."""
        self.refused = True
        self.coming = None
        self._forget_body()
        self.since = time.monotonic()
        if self.transport is None:
            return
        if self.current is not None or self.waiting:
            # An earlier request is still being answered: this one can't be told without mixing the two.
            self.transport.abort()
            return
        self.transport.write(rendered(answer, keep_alive=False))
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def _forget_body(self) -> None:
        self.doorman.body_bytes -= self.size
        self.size = 0
        self.chunks = []


def _too_long_a_head() -> Answer:
    return problem(431, "BAD_REQUEST", f"The head of a request may have {HEAD_LIMIT} bytes.")
