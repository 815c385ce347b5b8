"""Models and callers that mean ill: what they must not get hold of, and nobody else must notice."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from apps.deployments.gateway.app import Gateway
from apps.deployments.gateway.table import Table
from apps.deployments.models import Revision
from apps.deployments.targets.process.health import healthy
from tests.deployments.gateway.asking import Answered, ask, gateway, run, scope_of
from tests.deployments.gateway.making import make_deployment, make_instance, make_revision
from tests.deployments.gateway.models import PREDICTS, FakeModel, Heard
from tests.personas import People
from tests.waiting import PATIENCE


@pytest.fixture
def revision(people: People) -> Revision:
    return make_revision(make_deployment(people.forge), timeout_s=1)


@pytest.mark.parametrize(
    "begins",
    [
        b"HTTP/1.1 200 OK\r\nx: ",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: ",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;x=",
    ],
)
def test_a_header_that_does_not_end_is_not_waited_for(
    people: People, revision: Revision, sockets: Path, begins: bytes
) -> None:
    """The parser copies what it has of it with each read, on the loop that all callers share."""
    make_instance(revision, f"unix:{sockets}/one")
    sent = 0

    async def never_ends(heard: Heard, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(begins)
        while sent < 20_000_000:
            sent += 50_000
            writer.write(b"x" * 50_000)
            await writer.drain()

    async def scenario() -> None:
        async with FakeModel(never_ends, sockets / "one"), gateway() as app:
            try:
                assert (await ask(app, people.ada.token)).status == 502
            except Exception as error:  # noqa: BLE001 - the head had gone out: the server ends the connection
                assert "ended the connection" in str(error)
            assert sent < 10_000_000

    run(scenario())


def test_a_body_that_trickles_is_not_waited_for(
    people: People, revision: Revision, sockets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_instance(revision, f"unix:{sockets}/one")
    monkeypatch.setattr("apps.deployments.gateway.relay.ARRIVAL_SECONDS", 0.5)
    given = _headers(people, 1000)
    began, answered = time.monotonic(), Answered()

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0.2)
        is_over = time.monotonic() - began > 10
        return {"type": "http.disconnect"} if is_over else {"type": "http.request", "body": b" ", "more_body": True}

    async def take(message: dict[str, Any]) -> None:
        answered.messages.append(message | {"at": time.monotonic() - began})

    async def scenario() -> None:
        async with FakeModel(PREDICTS, sockets / "one") as model, gateway() as app:
            await app(scope_of(headers=given), receive, take)
            assert (answered.status, answered.json()["message"]) == (400, "The body did not come in time.")
            assert answered.messages[0]["at"] < 5 and not model.heard

    run(scenario())


def test_slow_bodies_take_no_more_memory_than_they_may(
    people: People, revision: Revision, sockets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_instance(revision, f"unix:{sockets}/one")
    monkeypatch.setattr("apps.deployments.gateway.asked.BODIES_AT_MOST", 100_000)
    leaves = asyncio.Event()

    async def slow(app: Gateway) -> None:
        pieces = [b" " * 30_000]

        async def receive() -> dict[str, Any]:
            if pieces:
                return {"type": "http.request", "body": pieces.pop(), "more_body": True}
            await leaves.wait()
            return {"type": "http.disconnect"}

        async def take(message: dict[str, Any]) -> None:
            pass

        await app(scope_of(headers=_headers(people, 60_000)), receive, take)

    async def scenario() -> None:
        async with FakeModel(PREDICTS, sockets / "one"), gateway() as app:
            waiting = [asyncio.ensure_future(slow(app)) for _ in range(3)]
            await asyncio.sleep(0.5)
            refused = await ask(app, people.ada.token, body=b" " * 30_000)
            assert (refused.status, refused.headers["retry-after"]) == (503, "1")
            assert (await ask(app, people.ada.token)).status == 200
            leaves.set()
            await asyncio.gather(*waiting)
            assert (await ask(app, people.ada.token, body=b" " * 30_000)).status == 200

    run(scenario())


def test_who_is_looked_up_keeps_the_table_from_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong credentials are looked up in threads: however many wait there, instances that ended are heard of."""
    monkeypatch.setattr("apps.deployments.gateway.watching.read_table", lambda find, before: Table(7))
    over = threading.Event()

    async def scenario() -> None:
        app = Gateway()
        waiting = [asyncio.ensure_future(app._threads.run(over.wait)) for _ in range(50)]
        await asyncio.sleep(0)
        await app.watch.refresh()
        assert app.watch.table.epoch == 7
        over.set()
        await asyncio.gather(*waiting)
        await app.stop()

    asyncio.run(scenario())


async def _in_two(heard: Heard, writer: asyncio.StreamWriter) -> None:
    """Answers in pieces that arrive one by one."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n")
    for piece in (b"first ", b"second"):
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.write(piece)


def test_what_a_caller_did_not_take_is_nobody_elses(people: People, revision: Revision, sockets: Path) -> None:
    """Its connection has an answer in it that is whole: kept, it would begin the next one's."""
    make_instance(revision, f"unix:{sockets}/one")
    given = _headers(people, 0)

    async def take(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            await asyncio.sleep(0.4)
            raise ConnectionError("the server can't send")

    async def never() -> dict[str, Any]:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def scenario() -> None:
        async with FakeModel(_in_two, sockets / "one"), gateway() as app:
            with pytest.raises(ConnectionError):
                await app(scope_of(headers=given), never, take)
            assert (await ask(app, people.ada.token)).body == b"first second"

    run(scenario())


def test_who_does_not_take_the_answer_holds_no_instance(
    people: People, revision: Revision, sockets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_instance(revision, f"unix:{sockets}/one")
    monkeypatch.setattr("apps.deployments.gateway.relay.ARRIVAL_SECONDS", 0.5)
    given = _headers(people, 0)

    async def never(*_: Any) -> dict[str, Any]:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def take(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            await never()

    async def scenario() -> None:
        async with FakeModel(_in_two, sockets / "one") as model, gateway() as app:
            async with asyncio.timeout(10):
                await app(scope_of(headers=given), never, take)
            async with asyncio.timeout(PATIENCE):
                while model.open:
                    await asyncio.sleep(0.01)

    run(scenario())


def test_a_link_in_the_place_of_a_socket_leads_nowhere(people: People, revision: Revision, sockets: Path) -> None:
    """A container has the folder of its socket, and could lead its callers to the model of another team."""
    make_instance(revision, f"unix:{sockets}/own")
    (sockets / "own").symlink_to(sockets / "of-others")

    async def scenario() -> None:
        async with FakeModel(PREDICTS, sockets / "of-others") as model, gateway() as app:
            assert (await ask(app, people.ada.token)).status == 503
            assert not healthy({1: f"unix:{sockets}/own"}, 1)
            assert not model.connections

    run(scenario())


def _headers(people: People, length: int) -> list[tuple[str, str]]:
    return [
        ("host", "testserver"),
        ("authorization", f"Bearer {people.ada.token}"),
        ("content-length", str(length)),
    ]
