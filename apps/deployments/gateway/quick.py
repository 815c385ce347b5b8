"""Calls for which all is known already: sent on at once and answered at once, without a task of their own.

Most calls are like that: the caller was seen before, the body came whole, a connection to an instance is idle, and the
answer comes in one piece. What turns out otherwise goes on as any other call, from where it is (`Gateway.go_on`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings

from apps.core.errors import DomainError
from apps.deployments.gateway.answers import head_for, without_trace
from apps.deployments.gateway.asked import BODIES_AT_MOST, Asked, Room, request_of
from apps.deployments.gateway.callers import Callers, check_origin
from apps.deployments.gateway.calls import Call, call_of
from apps.deployments.gateway.choosing import check_length, pick
from apps.deployments.gateway.connection import CallerLeft, Connection
from apps.deployments.gateway.counting import CALLER_LEFT, Counts
from apps.deployments.gateway.routes import route_of
from apps.deployments.gateway.table import Endpoint, Side
from apps.deployments.gateway.upstream import MORE_SECONDS, Upstream
from apps.deployments.gateway.watching import Watch

# Longer bodies are gathered by those who count them.
QUICK_BYTES = 64 * 1024


class Flight:
    """A call that was brought to an instance. `connection` is None where one has to be made first."""

    __slots__ = (
        "_counts",
        "_done",
        "_room",
        "asked",
        "begun_at",
        "connection",
        "endpoint",
        "is_over",
        "side",
        "upstream",
    )

    def __init__(
        self, endpoint: Endpoint, side: Side, upstream: Upstream, asked: Asked, counts: Counts, room: Room, now: float
    ) -> None:
        self.endpoint, self.side, self.upstream, self.asked = endpoint, side, upstream, asked
        self._counts, self._room = counts, room
        self._done: Callable[[], None] | None = None
        self.connection: Connection | None = None
        self.begun_at = now
        self.is_over = False
        asked.tried.append(upstream)
        upstream.in_hand += 1
        room.taken += asked.size

    def send(self, done: Callable[[], None]) -> None:
        """Send it; `done` is called once, with the answer, or with what makes this an ordinary call."""
        connection = self.connection
        if connection is None or not connection.is_open:
            self.connection = None
            done()
            return
        self._done = done
        connection.on_news = self._look
        connection.deadline = self.begun_at + self.side.timeout_s + MORE_SECONDS
        connection.begin(request_of(self.upstream, self.asked))

    def take(self) -> tuple[int, bytes, bytes] | None:
        """The whole answer: status, headers as they are sent, and body; it is over with that. None: it is not here."""
        connection = self.connection
        if connection is None or not connection.is_whole or connection.has_failed:
            return None
        status, body = connection.status, connection.rest()
        if status >= 400 and not settings.DEBUG:
            body = without_trace(body)
        side = self.side
        head = head_for(connection.headers, self.asked.call.request_id, side.number, side.version, len(body))
        self._end(status)
        return status, head, body

    def leave(self) -> None:
        """The caller is gone: nobody waits for the answer."""
        if self.is_over:
            return
        if self.connection is not None:
            self.connection.on_news = None
            if self._done is not None:
                self.connection.give_up(CallerLeft())
        self._end(CALLER_LEFT)

    def hand_over(self) -> None:
        """Others go on with it, and give back what it holds."""
        self.is_over = True
        if self.connection is not None:
            self.connection.on_news = None

    def _look(self) -> None:
        connection, done = self.connection, self._done
        if connection is None or done is None:
            return
        if connection.is_whole or connection.has_head or connection.has_failed:
            connection.on_news = None
            done()

    def _end(self, status: int) -> None:
        taken = (asyncio.get_running_loop().time() - self.begun_at) * 1000
        self._counts.answered(self.side.pk, status, taken)
        self.is_over = True
        self.upstream.in_hand -= 1
        self._room.taken -= self.asked.size
        if self.connection is not None:
            self.upstream.give_back(self.connection)


class Quick:
    """Begins them. What is sent in one round of the loop leaves together, so that instances find it in one batch."""

    def __init__(self, watch: Watch, callers: Callers, counts: Counts, room: Room) -> None:
        self._watch, self._callers, self._counts, self._room = watch, callers, counts, room
        self._leaving: list[tuple[Flight, Callable[[], None]]] = []

    def begin(self, scope: Mapping[str, Any], body: bytes) -> Flight | None:
        """Choose who is to answer; None where the call has to go the ordinary way, which says why where it is wrong."""
        try:
            call = call_of(scope)
            check_origin(call)
            route_of(call.rest, call.method)
            return self._begin(call, body)
        except (DomainError, ValueError):
            return None

    def again(self, call: Call, body: bytes) -> Flight | None:
        """As `begin`, for a request whose head is byte by byte that of a call before."""
        try:
            return self._begin(call.anew(), body)
        except DomainError:
            return None

    def send_soon(self, flight: Flight, done: Callable[[], None]) -> None:
        """Send it, in the loop's next round."""
        if not self._leaving:
            asyncio.get_running_loop().call_soon(self._send)
        self._leaving.append((flight, done))

    def _begin(self, call: Call, body: bytes) -> Flight | None:
        endpoint = self._watch.table.endpoints.get(call.name)
        if endpoint is None or endpoint.calls_per_minute is not None:
            return None
        now = asyncio.get_running_loop().time()
        if not self._callers.known(call, endpoint, now) or self._room.taken + len(body) > BODIES_AT_MOST:
            return None
        check_length(endpoint, call)
        asked = Asked(call, body, size=len(body))
        picked = pick(endpoint, asked, now)
        if picked is None or asked.size > picked[0].max_body_bytes:
            return None
        side, upstream = picked
        flight = Flight(endpoint, side, upstream, asked, self._counts, self._room, now)
        flight.connection = upstream.kept()
        return flight

    def _send(self) -> None:
        leaving, self._leaving = self._leaving, []
        for flight, done in leaving:
            if not flight.is_over:
                flight.send(done)


class Unhurried(Quick):
    """Begins none."""

    def begin(self, scope: Mapping[str, Any], body: bytes) -> Flight | None:
        return None
