"""Models that are no models: HTTP servers which do what a test tells them to."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

Answer = Callable[["Heard", asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Heard:
    """A request as the model got it."""

    line: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass
class FakeModel:
    """A server on a unix socket or a port of loopback. `heard` has what came; `answer` says what becomes of it."""

    answer: Answer
    path: Path | None = None
    heard: list[Heard] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    server: asyncio.Server | None = None
    open: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def address(self) -> str:
        return f"unix:{self.path}" if self.path else f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> FakeModel:
        if self.path:
            self.server = await asyncio.start_unix_server(self._serve, self.path)
        else:
            listener = socket.create_server(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
            self.server = await asyncio.start_server(self._serve, sock=listener)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Refuse new connections and end those that are open, as a process that is killed does."""
        if self.server is not None:
            self.server.close()
            self.server = None
        if self.path:
            self.path.unlink(missing_ok=True)
        self.hang_up()

    def hang_up(self) -> None:
        """End what is open; new connections are taken."""
        for writer in self.open:
            writer.transport.abort()
        self.open.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open.add(writer)
        try:
            while (heard := await read_request(reader)) is not None:
                self.heard.append(heard)
                await self.answer(heard, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.open.discard(writer)
            writer.close()


async def read_request(reader: asyncio.StreamReader) -> Heard | None:
    """The next request; None where no more comes."""
    line = (await reader.readline()).decode().strip()
    if not line:
        return None
    headers: dict[str, str] = {}
    while row := (await reader.readline()).decode("latin-1").strip():
        name, _, value = row.partition(":")
        assert name not in headers, f"{name} came twice"
        headers[name] = value.strip()
    if headers.get("transfer-encoding") == "chunked":
        return Heard(line, headers, await _chunks(reader))
    return Heard(line, headers, await reader.readexactly(int(headers.get("content-length", 0))))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    pieces = []
    while size := int((await reader.readline()).strip(), 16):
        pieces.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readline()
    return b"".join(pieces)


def says(body: bytes, status: str = "200 OK", kind: str = "application/json", **headers: str) -> Answer:
    """Answers always the same."""

    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", f"content-type: {kind}", f"content-length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()

    return answer


PREDICTS = says(b'{"predictions": [0]}')
