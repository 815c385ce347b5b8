"""Brings a call to an instance and its answer back, in pieces, and asks another where that can do no harm.

A call goes to another instance only where no model can have seen it: no connection was made, or the kernel over there
says that what was sent was not read to its end (`connection.Lost.unread`). Models get a call when all of it was read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings

from apps.core.errors import BadRequest, BrokenAnswer, TookTooLong
from apps.deployments.gateway.answers import headers_for, without_trace
from apps.deployments.gateway.asked import Asked, Room, request_of
from apps.deployments.gateway.calls import Call
from apps.deployments.gateway.choosing import pick, too_large
from apps.deployments.gateway.clock import Clock, Late
from apps.deployments.gateway.connection import CallerLeft, Connection, Lost, TimedOut
from apps.deployments.gateway.counting import CALLER_LEFT, Counts
from apps.deployments.gateway.quick import Flight
from apps.deployments.gateway.table import Endpoint, Side
from apps.deployments.gateway.upstream import MORE_SECONDS, Unreachable, Upstream

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

# A body up to this is gathered before an instance is asked: a slow caller holds none, and it can be sent again.
GATHERED_BYTES = 256 * 1024
# How long a body may take to come, and its caller to take a piece of the answer; longer by a second for so many bytes.
ARRIVAL_SECONDS = 60
_SLOWEST_BYTES = 16 * 1024
_ATTEMPTS = 4
_STRIPPED_AT_MOST = 1024 * 1024


class Relay:
    """One call from here on: `pick` an instance, send, answer."""

    def __init__(self, receive: Receive, send: Send, counts: Counts, clock: Clock, room: Room) -> None:
        self._receive, self._send, self._counts, self._clock = receive, send, counts, clock
        self._room, self._held = room, 0
        self.has_answered = False
        self.request_id = ""
        self.asked: Asked | None = None
        self._side: Side | None = None
        self._first_asked_at = 0.0
        self._came = 0

    @property
    def is_still_coming(self) -> bool:
        """Whether more of the body may be on its way, which nobody has read."""
        return self.asked is not None and self.asked.more

    def take(self, call: Call) -> Asked:
        """This is the call."""
        self.request_id = call.request_id
        self.asked = Asked(call, more=call.length != 0)
        return self.asked

    def adopt(self, flight: Flight) -> None:
        """This is the call: it is on its way already, with all of its body."""
        self.asked, self._side = flight.asked, flight.side
        self.request_id = flight.asked.call.request_id
        self._held = flight.asked.size

    async def gather(self, asked: Asked) -> None:
        """Take the body, or its beginning where it is long. Raises `BadRequest` and `Unavailable`."""
        if not asked.more:
            return
        length = asked.call.length
        body, more = await self._held_piece()
        if more and len(body) == length:
            # The server says that more may follow until it has looked; the length says that there is none.
            more = False
        elif more and (length or 0) <= GATHERED_BYTES:
            pieces, size = [body], len(body)
            while more and size < GATHERED_BYTES:
                piece, more = await self._held_piece()
                pieces.append(piece)
                size += len(piece)
                more = more and size != length
            body = b"".join(pieces)
        asked.body, asked.more = body, more
        asked.size = len(asked.body)

    def release(self) -> None:
        """What was gathered is needed no more."""
        self._room.taken -= self._held
        self._held = 0

    async def pass_on(self, endpoint: Endpoint, asked: Asked) -> bool:
        """Ask instances until one answers; False where there is none (left) that can be asked.

        Raises errors that are answers themselves.
        """
        loop = asyncio.get_running_loop()
        for _ in range(_ATTEMPTS):
            picked = pick(endpoint, asked, loop.time())
            if picked is None:
                return False
            side, upstream = picked
            self._side = side
            if asked.size > side.max_body_bytes or (asked.call.length or 0) > side.max_body_bytes:
                raise too_large(side)
            asked.tried.append(upstream)
            upstream.in_hand += 1
            try:
                if await self._ask(side, upstream, asked):
                    return True
            finally:
                upstream.in_hand -= 1
        return False

    async def go_on(self, flight: Flight) -> bool:
        """As `pass_on`, for a call that an instance was asked already, or is to be."""
        try:
            return await self._ask(flight.side, flight.upstream, flight.asked, flight)
        finally:
            flight.upstream.in_hand -= 1

    def count_unreached(self, endpoint: Endpoint) -> None:
        """No model could be asked: that counts for the revision that should have been."""
        side = self._side or endpoint.sides.get(max(endpoint.split.weights, key=endpoint.split.weights.get, default=0))  # type: ignore[arg-type]
        if side is not None:
            self._counts.unreached(side.pk)

    async def _ask(self, side: Side, upstream: Upstream, asked: Asked, flight: Flight | None = None) -> bool:
        """Whether it answered; False where another may be asked."""
        begun_at = None
        try:
            if flight is not None and flight.connection is not None:
                connection, begun_at = flight.connection, flight.begun_at
            else:
                connection = await upstream.connection()
            if await self._exchange(side, upstream, connection, asked, begun_at):
                return True
            # A connection that was kept and had ended over there says nothing of the instance.
            return connection.was_used and await self._exchange(
                side, upstream, await upstream.connection(anew=True), asked
            )
        except Unreachable:
            return False

    async def _exchange(
        self, side: Side, upstream: Upstream, connection: Connection, asked: Asked, begun_at: float | None = None
    ) -> bool:
        """As `_ask`, on one connection; `begun_at` is when the request was sent, where it was already."""
        loop, streams = asyncio.get_running_loop(), asked.more
        started = begun_at or loop.time()
        try:
            if begun_at is None:
                connection.begin(request_of(upstream, asked))
            if streams:
                await self._send_rest(connection, side, asked)
                started = loop.time()
            connection.deadline = started + side.timeout_s + MORE_SECONDS
            with self._minding_the_caller(connection):
                await connection.head()
                self._counts.answered(side.pk, connection.status, (loop.time() - started) * 1000)
                await self._answer(connection, side, asked)
        except Lost as error:
            if error.unread and not self.has_answered and not streams:
                return False
            self._broke(side, 502, started)
            message = "The model ended the connection before it answered. The call may have been worked on."
            raise BrokenAnswer(message) from error
        except TimedOut as error:
            self._broke(side, 504, started)
            raise TookTooLong("Request processing time exceeded limit") from error
        except CallerLeft:
            self._broke(side, CALLER_LEFT, started)
            raise
        finally:
            if asked.more:
                connection.spoil()
            upstream.give_back(connection)
        return True

    @contextmanager
    def _minding_the_caller(self, connection: Connection) -> Iterator[None]:
        """Give the connection up where the caller leaves meanwhile. Quick calls pay nothing: most are over before."""
        watching: list[asyncio.Task[None]] = []

        def begin() -> None:
            watching.append(asyncio.get_running_loop().create_task(self._watch_caller(connection)))

        if not self.is_still_coming:
            self._clock.if_slow(self, begin)
        try:
            yield
        finally:
            self._clock.forget(self)
            for task in watching:
                task.cancel()

    async def _watch_caller(self, connection: Connection) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        connection.give_up(CallerLeft())

    def _broke(self, side: Side, status: int, started: float) -> None:
        if not self.has_answered:
            self._counts.answered(side.pk, status, (asyncio.get_running_loop().time() - started) * 1000)

    async def _send_rest(self, connection: Connection, side: Side, asked: Asked) -> None:
        """Send the body on as it comes. An answer that comes before it is through ends that."""
        is_chunked = asked.call.length is None
        while asked.more and not connection.has_head:
            piece, asked.more = await self._piece()
            asked.size += len(piece)
            if asked.size > side.max_body_bytes:
                raise too_large(side)
            connection.deadline = asyncio.get_running_loop().time() + side.timeout_s
            if piece:
                await connection.send(b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece)
        if is_chunked and not asked.more:
            await connection.send(b"0\r\n\r\n")

    async def _answer(self, connection: Connection, side: Side, asked: Asked) -> None:
        headers = headers_for(connection.headers, asked.call.request_id, side.number, side.version)
        if connection.is_whole or connection.status >= 400:
            await self._answer_whole(connection, side, headers, asked)
        else:
            await self._answer_in_pieces(connection, side, headers, asked)

    async def _answer_whole(
        self, connection: Connection, side: Side, headers: list[tuple[bytes, bytes]], asked: Asked
    ) -> None:
        body = connection.rest()
        while not connection.is_whole and len(body) < _STRIPPED_AT_MOST:
            connection.deadline = asyncio.get_running_loop().time() + side.timeout_s
            body += await connection.piece()
        body += connection.rest()
        if not connection.is_whole:
            raise BrokenAnswer("The model's error is too long to be passed on.")
        if connection.status >= 400 and not settings.DEBUG:
            body = without_trace(body)
        if asked.call.method == "HEAD":
            body = b""
        headers.append((b"content-length", b"%d" % len(body)))
        await self._start(connection.status, headers)
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def _answer_in_pieces(
        self, connection: Connection, side: Side, headers: list[tuple[bytes, bytes]], asked: Asked
    ) -> None:
        headers += [pair for pair in connection.headers if pair[0] == b"content-length"]
        await self._start(connection.status, headers)
        is_head = asked.call.method == "HEAD"
        while True:
            connection.deadline = asyncio.get_running_loop().time() + side.timeout_s
            piece = await connection.piece()
            connection.deadline = 0.0
            if not piece:
                break
            if not is_head:
                await self._hand_over(piece, more=True)
        await self._hand_over(b"", more=False)

    async def _start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.has_answered = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def _held_piece(self) -> tuple[bytes, bool]:
        body, more = await self._piece()
        self._held += len(body)
        self._room.take(len(body))
        return body, more

    async def _piece(self) -> tuple[bytes, bool]:
        """The next of the body. Its whole has one time: byte by byte it would come for days."""
        now = asyncio.get_running_loop().time()
        self._first_asked_at = self._first_asked_at or now
        left = self._first_asked_at + ARRIVAL_SECONDS + self._came / _SLOWEST_BYTES - now
        try:
            message = await self._clock.before(left, self._receive())
        except Late as error:
            raise BadRequest("The body did not come in time.") from error
        if message["type"] == "http.disconnect":
            # Whoever left does not hear it; who sent chunks that are none does.
            raise BadRequest("The body ended before it was complete, or can't be read.")
        body = message.get("body", b"")
        self._came += len(body)
        return body, message.get("more_body", False)

    async def _hand_over(self, piece: bytes, *, more: bool) -> None:
        """A piece of the answer. Who does not take it holds an instance, and what it has answered."""
        sending = self._send({"type": "http.response.body", "body": piece, "more_body": more})
        try:
            await self._clock.before(ARRIVAL_SECONDS, sending)
        except Late as error:
            raise CallerLeft from error
