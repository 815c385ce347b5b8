"""What listens: uvicorn, with bounds for callers who are slow, silent or endless (docs/adr/0017)."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast
from weakref import WeakSet

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from apps.core.listening import connections_at_most

# A head comes at once or not at all; a connection that is kept may wait longer, as it does with other servers.
HEAD_SECONDS = 30.0
IDLE_SECONDS = 75.0
# Bytes in a row that bring neither a head nor a piece of a body: the parser keeps a header whole that does not end, and
# copies it with each read.
FRUITLESS_BYTES = 128 * 1024
# Applications have bounds of their own below this; the parser knows none beyond.
URL_BYTES = 60 * 1024
# Calls that go on when it is asked to stop get this long.
STOP_SECONDS = 8
# Who takes nothing of an answer for so long is given up. The applications' own bounds are as long.
UNREAD_SECONDS = 75.0
# What is still read of a body that was answered before it was through: who is sending looks for an answer only then.
LINGER_SECONDS, LINGER_BYTES = 10.0, 64 * 1024 * 1024
_SWEEP_SECONDS = 1.0
# A worker that does not answer its parent for so long is replaced. Starting takes seconds on a busy machine, and a
# parent that waits for one hears no signal meanwhile.
_HUNG_SECONDS = 20
# Servers of this process whose connections are looked at.
_swept: WeakSet[ServerState] = WeakSet()


class Protocol(HttpToolsProtocol):
    """One connection of a caller. `sweep` is called once a second."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._fruitless = 0
        self._is_head_whole = False
        self._is_request_whole = True
        # Closed once the request was read: so many bytes more at most; None: it stays.
        self._lingering: int | None = None
        # By the loop's clock: since when what is written waits for its reader; 0: it does not.
        self._unread_since = 0.0
        # By the loop's clock: until when a head, or the rest of a body, is waited for. 0: a request is worked on.
        self._waits_until = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._waits_until = self.loop.time() + HEAD_SECONDS
        if len(self.connections) > connections_at_most():
            transport.abort()
        if self.server_state not in _swept:
            _swept.add(self.server_state)
            self.loop.call_later(_SWEEP_SECONDS, _sweep, self.server_state, self.loop)

    def data_received(self, data: bytes) -> None:
        self._fruitless += len(data)
        super().data_received(data)
        if self._fruitless > FRUITLESS_BYTES and not self.transport.is_closing():
            self._refuse(431, "The headers are too long.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_head_whole = self._is_request_whole = False
        if self._waits_until:
            self._waits_until = self.loop.time() + HEAD_SECONDS

    def on_header(self, name: bytes, value: bytes) -> None:
        # What follows a body in pieces as its trailer is no header of the request: nobody looked at it.
        if not self._is_head_whole:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._fruitless, self._waits_until = 0, 0.0
        self._is_head_whole = True
        if len(self.url) > URL_BYTES:
            self._refuse(414, "The URL is too long.")
            raise ValueError("too long a URL")
        self.begin_request()

    def begin_request(self) -> None:
        """The head is whole: begin to answer."""
        before = self.cycle
        super().on_headers_complete()
        # None is made where a WebSocket begins.
        if self.cycle is not before:
            self.cycle.transport = self.until_read()

    def on_body(self, body: bytes) -> None:
        self._fruitless = 0
        if self._lingering is None:
            super().on_body(body)
            return
        self._lingering -= len(body)
        if self._lingering < 0:
            self.transport.abort()

    def on_message_complete(self) -> None:
        self._is_request_whole = True
        super().on_message_complete()
        if self._lingering is not None:
            self.transport.close()

    def until_read(self) -> asyncio.Transport:
        """The connection as the cycle of one request sees it: closed once the request was read."""
        return cast(asyncio.Transport, _Lingering(self))

    def close_when_read(self) -> None:
        """Close it, and not before the request was read: the answer would be lost with what was not."""
        if self._is_request_whole:
            self.transport.close()
        elif self._lingering is None:
            self._lingering = LINGER_BYTES
            self._waits_until = self.loop.time() + LINGER_SECONDS
            self.flow.resume_reading()

    def on_response_complete(self) -> None:
        """As uvicorn's, without a timer for each request."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._lingering is None:
            self._waits_until = self.loop.time() + IDLE_SECONDS

    def send_400_response(self, msg: str) -> None:
        if not self.transport.is_closing():
            self._refuse(400, "This is no HTTP request.")

    def pause_writing(self) -> None:
        self._unread_since = self._unread_since or self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._unread_since = 0.0
        super().resume_writing()

    def sweep(self, now: float) -> None:
        """Close it where no request came in time, and end it where nobody takes what was written."""
        if self.transport.is_closing():
            # With what is not sent yet it waits for the other side, for ever if need be.
            self._unread_since = self._unread_since or now
        elif 0.0 < self._waits_until < now:
            self.transport.close()
        if 0.0 < self._unread_since < now - UNREAD_SECONDS:
            self.transport.abort()

    def _refuse(self, status: int, message: str) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            # It would be taken for the answer to the request before, or for a piece of it.
            self.transport.close()
            return
        body = b'{"error_code":"BAD_REQUEST","message":"%b"}' % message.encode()
        head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()


class _Lingering:
    """A connection as uvicorn's cycle of one request sees it."""

    __slots__ = ("_protocol", "is_closing", "write")

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self.write, self.is_closing = protocol.transport.write, protocol.transport.is_closing

    def close(self) -> None:
        """As `Protocol.close_when_read`."""
        self._protocol.close_when_read()


def _sweep(state: ServerState, loop: asyncio.AbstractEventLoop) -> None:
    now = loop.time()
    for connection in list(state.connections):
        if isinstance(connection, Protocol):
            connection.sweep(now)
    if state.connections:
        loop.call_later(_SWEEP_SECONDS, _sweep, state, loop)
    else:
        _swept.discard(state)


class Server(uvicorn.Server):
    """Serves until `stop`, or until SIGTERM or Ctrl-C where it is told to listen to them.

    `app` and `protocol` may be names to import, which processes that are started anew need.
    """

    def __init__(
        self,
        app: Any,
        protocol: Callable[..., Protocol] | str,
        *,
        host: str,
        port: int,
        workers: int = 1,
        websockets: bool = True,
        lifespan: bool = True,
        signals: bool = True,
    ) -> None:
        config = uvicorn.Config(
            app,
            host=host.strip("[]"),
            port=port,
            workers=workers,
            http=cast(Any, protocol),
            ws="websockets-sansio" if websockets else "none",
            interface="asgi3",
            lifespan="on" if lifespan else "off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=1024,
            timeout_graceful_shutdown=STOP_SECONDS,
            timeout_worker_healthcheck=_HUNG_SECONDS,
        )
        super().__init__(config)
        self._hears_signals = signals

    def stop(self) -> None:
        """Take no new connections, finish what is in hand, and end."""
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """It ends in order then, and not by the signal."""
        if self._hears_signals:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self.stop)
        yield
