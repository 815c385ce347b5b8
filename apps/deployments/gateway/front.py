"""Callers' connections: quick calls are answered right here, all else becomes a request of the ASGI application."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from apps.core.http_server import Protocol
from apps.deployments.gateway.app import Gateway
from apps.deployments.gateway.calls import Call
from apps.deployments.gateway.doors import SCOPE_KEY, Door
from apps.deployments.gateway.quick import QUICK_BYTES, Flight

# A body that takes longer to come is none of a quick call.
_GATHER_SECONDS = 1.0
# Longer heads are read anew each time, so that connections hold little.
_HEAD_BYTES = 8 * 1024


class _Pending:
    """Stands where uvicorn keeps the cycle of the request that is answered now."""

    __slots__ = ("body", "came_at", "disconnected", "flight", "keep_alive", "response_complete", "scope", "size")

    def __init__(self, scope: Any, size: int, keep_alive: bool, now: float) -> None:
        self.scope, self.size, self.keep_alive, self.came_at = scope, size, keep_alive, now
        self.body: list[bytes] = []
        self.flight: Flight | None = None
        self.disconnected = self.response_complete = False

    @property
    def message_event(self) -> _Pending:
        return self

    def set(self) -> None:
        """Nobody waits for news of it."""


@dataclass(frozen=True, slots=True)
class _Head:
    """A head of a quick call, with the empty line after it, and what it said. Most callers send the same each time."""

    raw: bytes
    whole: int
    call: Call
    scope: Any


class Front(Protocol):
    """`door` is the deployment's own port that the connection came in by; None: the site's."""

    def __init__(self, gateway: Gateway, door: Door | None = None, **given: Any) -> None:
        super().__init__(**given)
        self._gateway, self._door = gateway, door
        # The one whose body is on its way, and the one that is in flight.
        self._gathering: _Pending | None = None
        self._flying: _Pending | None = None
        # The last head that came in one piece with its body, and that piece while it is read.
        self._head: _Head | None = None
        self._piece = b""

    def data_received(self, data: bytes) -> None:
        if self._is_between_requests():
            if self._repeats(data):
                return
            self._piece = data
        super().data_received(data)
        self._piece = b""

    def begin_request(self) -> None:
        if self._door is not None:
            cast(dict[str, Any], self.scope)[SCOPE_KEY] = self._door
        size = self._quick_size()
        if size is None:
            super().begin_request()
            return
        path, _, query = self.url.partition(b"?")
        scope: Any = self.scope
        scope.update(method="POST", path=path.decode("ascii"), raw_path=path, query_string=query)
        self._gathering = _Pending(scope, size, self.parser.should_keep_alive(), self.loop.time())
        self.cycle = self._gathering  # type: ignore[assignment]

    def on_body(self, body: bytes) -> None:
        if self._gathering is None:
            super().on_body(body)
        else:
            self._fruitless = 0
            self._gathering.body.append(body)

    def on_message_complete(self) -> None:
        pending, self._gathering = self._gathering, None
        if pending is None:
            super().on_message_complete()
            return
        self._is_request_whole = True
        body = pending.body[0] if len(pending.body) == 1 else b"".join(pending.body)
        flight = self._gateway.quick.begin(pending.scope, body)
        if flight is None:
            self._take_the_ordinary_way(pending, body, self.app)
            return
        self._remember(pending, flight)
        self._fly(pending, flight)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._gathering = None
        flying, self._flying = self._flying, None
        if flying is not None and flying.flight is not None:
            flying.flight.leave()

    def sweep(self, now: float) -> None:
        super().sweep(now)
        pending = self._gathering
        if pending is not None and pending.came_at + _GATHER_SECONDS < now:
            self._gathering = None
            self._take_the_ordinary_way(pending, b"".join(pending.body), self.app, more=True)

    def _quick_size(self) -> int | None:
        """How long the body is of what may be a quick call; None for all others."""
        url, parser = self.url, self.parser
        if (
            not (url.startswith(b"/serve/") or self._door is not None)
            or parser.get_method() != b"POST"
            or parser.get_http_version() != "1.1"
            or parser.should_upgrade()
            or self.expect_100_continue
            or self.flow.write_paused
            or b"%" in url
            or not url.isascii()
            or not (self.cycle is None or self.cycle.response_complete)
        ):
            return None
        for name, value in self.headers:
            if name == b"content-length":
                return int(value) if len(value) < 8 and value.isdigit() and int(value) <= QUICK_BYTES else None
        return None

    def _is_between_requests(self) -> bool:
        return self._is_request_whole and (self.cycle is None or self.cycle.response_complete)

    def _repeats(self, data: bytes) -> bool:
        """Whether it is the last call once more, with another body: what its head says is known then."""
        head = self._head
        if head is None or len(data) != head.whole or not data.startswith(head.raw) or self.flow.write_paused:
            return False
        flight = self._gateway.quick.again(head.call, data[len(head.raw) :])
        if flight is None:
            return False
        self._waits_until = 0.0
        pending = _Pending(head.scope, 0, True, 0.0)
        self.cycle = pending  # type: ignore[assignment]
        self._fly(pending, flight)
        return True

    def _remember(self, pending: _Pending, flight: Flight) -> None:
        piece, size = self._piece, flight.asked.size
        end = piece.find(b"\r\n\r\n") + 4
        if pending.keep_alive and end > 3 and len(piece) == end + size and end <= _HEAD_BYTES:
            self._head = _Head(piece[:end], len(piece), flight.asked.call, pending.scope)

    def _fly(self, pending: _Pending, flight: Flight) -> None:
        pending.flight, self._flying = flight, pending
        self._gateway.quick.send_soon(flight, self._land)

    def _land(self) -> None:
        """The flight has come to an end of its own, or can't."""
        pending, self._flying = self._flying, None
        if pending is None or pending.flight is None:
            return
        flight = pending.flight
        try:
            answer = flight.take()
        except Exception:
            # Nobody waits for what can't be told, and nothing is held for it.
            flight.leave()
            self.transport.abort()
            raise
        if answer is None:
            flight.hand_over()
            self._take_the_ordinary_way(pending, b"", partial(self._gateway.go_on, flight))
            return
        status, head, body = answer
        content = [STATUS_LINE[status]]
        content += [b"%b: %b\r\n" % pair for pair in self.server_state.default_headers]
        content.append(head)
        content.append(b"\r\n" if pending.keep_alive else b"connection: close\r\n\r\n")
        content.append(body)
        self.transport.write(b"".join(content))
        pending.response_complete = True
        if not pending.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _take_the_ordinary_way(self, pending: _Pending, body: bytes, app: Any, *, more: bool = False) -> None:
        """Begin a request of the application, as uvicorn does, with what there is of its body."""
        cycle = RequestResponseCycle(
            # A copy: calls with the same head share it, and applications write into it.
            scope=pending.scope.copy(),
            transport=self.until_read(),
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=pending.keep_alive,
            on_response=self.on_response_complete,
        )
        cycle.body += body
        cycle.more_body = more
        if body or not more:
            cycle.message_event.set()
        pending.response_complete = False
        if self.cycle is pending:  # type: ignore[comparison-overlap]
            self.cycle = cycle
        self._start_asgi_task(cycle, app)
