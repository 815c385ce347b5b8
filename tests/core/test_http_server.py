"""What listens, beneath all applications: callers who are slow, silent, endless or make no sense."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from apps.core import http_server
from apps.core.http_server import Protocol, Server
from tests.waiting import PATIENCE

Lines = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def refuses(scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
    """Answers before it has read anything."""
    await send({"type": "http.response.start", "status": 413, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})


async def echoes(scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
    """A WebSocket that says what it hears; to requests, their path."""
    if scope["type"] == "http":
        await tells(scope, receive, send)
        return
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


async def tells(scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
    """Answers what it was asked, after all of the body."""
    size = 0
    while (message := await receive()).get("more_body"):
        size += len(message["body"])
    size += len(message.get("body", b""))
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    body = json.dumps({"path": scope["path"], "headers": headers, "size": size}).encode()
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def dialed(application: Any = tells) -> AsyncIterator[Lines]:
    """A connection to a server of its own."""
    server = Server(application, Protocol, host="127.0.0.1", port=0, lifespan=False, signals=False)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname())
    try:
        yield reader, writer
    finally:
        writer.close()
        server.stop()
        await serving


async def said(reader: asyncio.StreamReader) -> tuple[int, Any]:
    """Status and JSON of the next answer."""
    async with asyncio.timeout(PATIENCE):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        rows = dict(row.split(": ", 1) for row in head[1:] if row)
        return int(head[0].split()[1]), json.loads(await reader.readexactly(int(rows["content-length"])))


async def ended(reader: asyncio.StreamReader) -> bool:
    """Wait until the server ends the connection."""
    async with asyncio.timeout(PATIENCE):
        try:
            return await reader.read() == b""
        except ConnectionError:
            return True


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Run a test."""
    asyncio.run(scenario)


def test_one_request_after_the_other() -> None:
    async def scenario() -> None:
        async with dialed() as (reader, writer):
            for path in ("/one", "/two%20words", "//three"):
                writer.write(f"GET {path} HTTP/1.1\r\nhost: here\r\n\r\n".encode())
                status, told = await said(reader)
                assert (status, told["path"]) == (200, path.replace("%20", " "))

    run(scenario())


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\na\x01b: c\r\n\r\n",
        b"\x16\x03\x01\x02\r\n\r\n",
    ],
)
def test_what_is_no_request_is_told_so_in_json(line: bytes) -> None:
    async def scenario() -> None:
        async with dialed() as (reader, writer):
            writer.write(line)
            status, told = await said(reader)
            assert (status, told["error_code"]) == (400, "BAD_REQUEST")
            assert await ended(reader)

    run(scenario())


def test_two_lengths_are_none() -> None:
    both = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"

    async def scenario() -> None:
        async with dialed() as (reader, writer):
            writer.write(both)
            assert (await said(reader))[0] == 400
            assert await ended(reader)

    run(scenario())


def test_a_header_without_an_end_is_given_up() -> None:
    async def scenario() -> None:
        async with dialed() as (reader, writer):
            writer.write(b"GET / HTTP/1.1\r\nlong: ")
            for _ in range(200):
                writer.write(b"x" * 1024)
            assert (await said(reader))[0] == 431

    run(scenario())


def test_a_url_without_an_end_is_given_up() -> None:
    async def scenario() -> None:
        async with dialed() as (reader, writer):
            writer.write(b"GET /" + b"x" * (http_server.URL_BYTES + 1) + b" HTTP/1.1\r\nhost: a\r\n\r\n")
            assert (await said(reader))[0] == 414
            assert await ended(reader)

    run(scenario())


def test_trailers_are_no_headers() -> None:
    pieces = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n"

    async def scenario() -> None:
        async with dialed() as (reader, writer):
            writer.write(pieces)
            await asyncio.sleep(0.05)
            writer.write(b"0\r\nauthorization: Bearer of-somebody\r\n\r\n")
            status, told = await said(reader)
            assert (status, told["size"], sorted(told["headers"])) == (200, 2, ["host", "transfer-encoding"])

    run(scenario())


@pytest.mark.parametrize("closes", [b"", b"connection: close\r\n"])
def test_who_still_sends_a_body_gets_to_read_the_answer(closes: bytes) -> None:
    async def scenario() -> None:
        async with dialed(refuses) as (reader, writer):
            writer.write(b"POST / HTTP/1.1\r\nhost: a\r\n" + closes + b"content-length: 8000000\r\n\r\n")
            for _ in range(8):
                writer.write(b"x" * 1_000_000)
                await writer.drain()
                await asyncio.sleep(0.01)
            assert await said(reader) == (413, {})
            if closes:
                assert await ended(reader)

    run(scenario())


def test_what_is_sent_without_an_end_is_not_read_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "LINGER_BYTES", 1_000_000)

    async def scenario() -> None:
        async with dialed(refuses) as (_, writer):
            writer.write(b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 99000000\r\n\r\n")
            with pytest.raises(ConnectionError):
                for _ in range(99):
                    writer.write(b"x" * 1_000_000)
                    await writer.drain()

    run(scenario())


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nhost: a\r\n"])
def test_who_sends_no_request_is_hung_up_on(monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    monkeypatch.setattr(http_server, "HEAD_SECONDS", 0.1)
    monkeypatch.setattr(http_server, "_SWEEP_SECONDS", 0.05)

    async def scenario() -> None:
        async with dialed() as (reader, writer):
            writer.write(begun)
            assert await ended(reader)

    run(scenario())


def test_a_kept_connection_is_ended_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "IDLE_SECONDS", 0.1)
    monkeypatch.setattr(http_server, "_SWEEP_SECONDS", 0.05)

    async def scenario() -> None:
        async with dialed() as (reader, writer):
            writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            assert (await said(reader))[0] == 200
            assert await ended(reader)

    run(scenario())


def test_one_that_works_on_a_request_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEAD_SECONDS", "IDLE_SECONDS"):
        monkeypatch.setattr(http_server, name, 0.1)
    monkeypatch.setattr(http_server, "_SWEEP_SECONDS", 0.05)

    async def scenario() -> None:
        async with dialed() as (reader, writer):
            writer.write(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\na")
            await asyncio.sleep(0.4)
            writer.write(b"b")
            status, told = await said(reader)
            assert (status, told["size"]) == (200, 2)

    run(scenario())


def test_there_are_not_more_than_there_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "connections_at_most", lambda: 1)

    async def scenario() -> None:
        async with dialed() as (first, first_writer):
            first_writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            assert (await said(first))[0] in (200, 503)
            reader, writer = await asyncio.open_connection(*first_writer.get_extra_info("peername"))
            assert await ended(reader)
            writer.close()

    run(scenario())


def test_what_is_no_request_gets_no_word_into_the_answer_before() -> None:
    async def late(scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        await asyncio.sleep(0.2)
        await tells(scope, receive, send)

    async def scenario() -> None:
        async with dialed(late) as (reader, writer):
            writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            await asyncio.sleep(0.05)
            writer.write(b"nonsense\r\n\r\n")
            assert await ended(reader)

    run(scenario())


def test_an_answer_that_breaks_off_while_the_body_comes_ends_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "LINGER_SECONDS", 0.1)
    monkeypatch.setattr(http_server, "_SWEEP_SECONDS", 0.05)

    async def breaks(scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        raise ValueError("as tests want it")

    async def scenario() -> None:
        async with dialed(breaks) as (reader, writer):
            writer.write(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 900000\r\n\r\n" + b"x" * 200_000)
            async with asyncio.timeout(PATIENCE):
                assert b"first" in await reader.readuntil(b"first")
                with contextlib.suppress(ConnectionError):
                    assert b"0\r\n\r\n" not in await reader.read()

    run(scenario())


def test_who_takes_no_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "UNREAD_SECONDS", 0.1)
    monkeypatch.setattr(http_server, "_SWEEP_SECONDS", 0.05)
    sent: list[int] = []

    async def talks(scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(200):
            await send({"type": "http.response.body", "body": b"x" * 1_000_000, "more_body": True})
            sent.append(number)
        assert (await receive())["type"] == "http.disconnect"
        sent.append(-1)

    async def scenario() -> None:
        async with dialed(talks) as (_, writer):
            cast(asyncio.Transport, writer.transport).pause_reading()
            writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            async with asyncio.timeout(PATIENCE):
                while -1 not in sent:
                    await asyncio.sleep(0.01)

    run(scenario())
