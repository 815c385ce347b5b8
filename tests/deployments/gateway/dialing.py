"""The gateway behind a listener, and callers who speak to it byte by byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from apps.core.http_server import Server
from apps.deployments.gateway.app import Gateway
from apps.deployments.gateway.front import Front
from tests.deployments.gateway.asking import BODY, gateway
from tests.waiting import PATIENCE


@dataclass
class Listening:
    """A gateway that listens. `ordinary` counts the calls that its application was asked for."""

    app: Gateway
    port: int
    server: Server
    ordinary: list[str] = field(default_factory=list)


@asynccontextmanager
async def listening() -> AsyncIterator[Listening]:
    """A gateway that lives and listens for the block."""
    async with gateway() as app:
        found = Listening(app, 0, None)  # type: ignore[arg-type]

        async def counted(scope: Mapping[str, object], receive: object, send: object) -> None:
            found.ordinary.append(str(scope["path"]))
            await app(scope, receive, send)  # type: ignore[arg-type]

        server = Server(counted, partial(Front, app), host="127.0.0.1", port=0, lifespan=False, signals=False)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        found.port, found.server = server.servers[0].sockets[0].getsockname()[1], server
        try:
            yield found
        finally:
            server.stop()
            await serving


@dataclass
class Reply:
    """An answer as it came over the line."""

    status: int
    headers: dict[str, str]
    body: bytes


class Line:
    """A connection of a caller."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def say(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)

    async def hear(self) -> Reply:
        """The next answer."""
        async with asyncio.timeout(PATIENCE):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            rows = [row.partition(": ") for row in head[1:] if row]
            headers = {name.lower(): value for name, _, value in rows}
            status = int(head[0].split()[1])
            if status == 100:
                return Reply(status, headers, b"")
            return Reply(status, headers, await self._body(headers))

    async def is_ended(self) -> bool:
        """Wait until the other side ends it."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read() == b""

    async def ask(self, token: str, body: bytes = BODY, **headers: str) -> Reply:
        """One call, all at once."""
        self.say(request(token, body, **headers))
        return await self.hear()

    async def _body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return await self.reader.readexactly(int(headers["content-length"]))
        pieces = []
        while size := int((await self.reader.readline()).strip(), 16):
            pieces.append(await self.reader.readexactly(size))
            await self.reader.readexactly(2)
        await self.reader.readline()
        return b"".join(pieces)


@asynccontextmanager
async def line_to(there: Listening) -> AsyncIterator[Line]:
    """A connection for the block."""
    reader, writer = await asyncio.open_connection("127.0.0.1", there.port)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()


def request(token: str, body: bytes = BODY, **headers: str) -> bytes:
    """A call of the deployment iris. Headers are written with `_` for `-`."""
    named = {"host": "testserver", "authorization": f"Bearer {token}", "content-length": str(len(body))}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    rows = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"POST /serve/iris/invocations HTTP/1.1\r\n{rows}\r\n".encode() + body
