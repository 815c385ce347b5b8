"""An instance as the gateway sees it: where it is, its connections, and how much it has in hand."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from apps.deployments.gateway.connection import Connection, TimedOut
from apps.deployments.sockets import not_through_links

CONNECT_SECONDS = 3.0
# The instance answers by itself where its time is over; this is for one that can't any more.
MORE_SECONDS = 0.5
# Below what servers keep an idle connection for: MLflow's, 5 seconds.
IDLE_SECONDS = 4.0
_IDLE_AT_MOST = 64
_DOWN_SECONDS = 1.0


class Unreachable(Exception):
    """No connection could be made, so nothing was sent."""


class Upstream:
    """`address` is `unix:/path` or `http://host:port`; `key` what it wants to hear, or empty."""

    # Counts who was asked, over all: the higher, the later.
    clock = 0

    def __init__(self, pk: int, address: str, key: str = "") -> None:
        self.pk, self.address, self.key = pk, address, key
        self.secret = key.encode("latin-1", "replace")
        self.in_hand = self.asked_at = 0
        # By the loop's clock: it refused connections a moment ago, and others are asked first.
        self.down_until = 0.0
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._is_closed = False

    def kept(self) -> Connection | None:
        """A connection from before, to send a request on."""
        while self._idle:
            kept = self._idle.pop()
            if kept.is_open:
                return kept
        return None

    async def connection(self, *, anew: bool = False) -> Connection:
        """One to send a request on: kept from before, unless it has to be `anew`. Raises `Unreachable`."""
        kept = None if anew else self.kept()
        return kept or await self._connect()

    def give_back(self, connection: Connection) -> None:
        """Keep it for the next request where it may stay, else end it."""
        fits = connection.may_stay and not self._is_closed and len(self._idle) < _IDLE_AT_MOST
        if not fits:
            connection.abort()
            self._all.discard(connection)
            return
        connection.settle()
        connection.idle_since = asyncio.get_running_loop().time()
        self._idle.append(connection)

    def sweep(self, now: float) -> None:
        """End who waits in vain, and connections that nobody has used for a while."""
        for connection in list(self._all):
            if 0.0 < connection.deadline < now:
                connection.give_up(TimedOut())
        while self._idle and self._idle[0].idle_since < now - IDLE_SECONDS:
            # Used last in, first out: the first is the one that has been idle for longest.
            stale = self._idle.pop(0)
            stale.abort()
            self._all.discard(stale)

    def mark_down(self, now: float) -> None:
        """It refused a connection."""
        self.down_until = now + _DOWN_SECONDS

    def close(self) -> None:
        """It gets no more requests; what it has in hand is finished."""
        self._is_closed = True
        for connection in self._idle:
            connection.abort()
            self._all.discard(connection)
        self._idle.clear()

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                if self.address.startswith("unix:"):
                    with not_through_links(self.address.removeprefix("unix:")) as path:
                        _, connection = await loop.create_unix_connection(Connection, path)
                else:
                    parts = urlsplit(self.address)
                    _, connection = await loop.create_connection(Connection, parts.hostname or "", parts.port or 80)
        except (OSError, TimeoutError, ValueError) as error:
            self.mark_down(loop.time())
            raise Unreachable(str(error) or "it took too long") from error
        connection.on_gone = self._gone
        self._all.add(connection)
        return connection

    def _gone(self, connection: Connection) -> None:
        self._all.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
