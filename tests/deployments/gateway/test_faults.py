"""Models that don't answer as they should: what is tried again, and what never is."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from apps.deployments.models import Deployment, Instance, InstanceState, Revision, TrafficMinute
from tests.deployments.gateway.asking import BODY, act, ask, gateway, run, scope_of, send
from tests.deployments.gateway.making import make_deployment, make_instance, make_revision
from tests.deployments.gateway.models import PREDICTS, Answer, FakeModel, Heard
from tests.personas import People
from tests.waiting import PATIENCE


@pytest.fixture
def revision(people: People) -> Revision:
    return make_revision(make_deployment(people.forge), timeout_s=1)


def closes(after: bytes = b"") -> Answer:
    """Takes the call, says `after` and ends the connection."""

    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(after)
        await writer.drain()
        writer.close()

    return answer


async def hangs(heard: Heard, writer: asyncio.StreamWriter) -> None:
    """Takes the call and never answers."""
    await asyncio.sleep(60)


def test_nothing_ready_is_said_with_what_to_do(people: People) -> None:
    deployment = make_deployment(people.forge)

    async def scenario() -> None:
        async with gateway() as app:
            met = await ask(app, people.ada.token)
            assert (met.status, met.json()["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
            assert "no revision that is ready yet" in met.json()["message"]
            assert int(met.headers["retry-after"]) > 0
            await act(lambda: make_revision(deployment))
            await app.watch.refresh()
            met = await ask(app, people.ada.token)
            assert (met.status, "No instance of iris answers" in met.json()["message"]) == (503, True)

    run(scenario())


def test_a_stopped_one_says_so(people: People, sockets: Path) -> None:
    make_revision(make_deployment(people.forge, is_stopped=True))

    async def scenario() -> None:
        async with gateway() as app:
            met = await ask(app, people.ada.token)
            assert met.status == 503
            assert met.json()["message"].startswith("iris is stopped. Start it on its page")

    run(scenario())


def test_who_refuses_is_passed_over(people: People, revision: Revision, sockets: Path) -> None:
    make_instance(revision, f"unix:{sockets}/gone")
    make_instance(revision, f"unix:{sockets}/there")

    async def scenario() -> None:
        async with FakeModel(PREDICTS, sockets / "there") as model, gateway() as app:
            for _ in range(6):
                assert (await ask(app, people.ada.token)).status == 200
            assert len(model.heard) == 6

    run(scenario())


def test_another_revision_answers_where_all_of_one_refuse(people: People, sockets: Path) -> None:
    deployment = make_deployment(people.forge)
    make_instance(make_revision(deployment, 50, 1), f"unix:{sockets}/gone")
    make_instance(make_revision(deployment, 50, 2), f"unix:{sockets}/there")

    async def scenario() -> None:
        async with FakeModel(PREDICTS, sockets / "there"), gateway() as app:
            met = [await ask(app, people.ada.token) for _ in range(4)]
            assert {(each.status, each.headers["x-slipway-revision"]) for each in met} == {(200, "2")}

    run(scenario())


def test_new_instances_are_found_in_the_moment_that_the_old_refuse(
    people: People, revision: Revision, sockets: Path
) -> None:
    make_instance(revision, f"unix:{sockets}/old")

    def replace() -> None:
        Instance.objects.update(state=InstanceState.ENDED)
        make_instance(revision, f"unix:{sockets}/new")

    async def scenario() -> None:
        async with gateway() as app:
            async with FakeModel(PREDICTS, sockets / "old"):
                assert (await ask(app, people.ada.token)).status == 200
            await act(replace)
            async with FakeModel(PREDICTS, sockets / "new"):
                assert (await ask(app, people.ada.token)).status == 200

    run(scenario())


def test_draining_ones_get_nothing_new(people: People, revision: Revision, sockets: Path) -> None:
    make_instance(revision, f"unix:{sockets}/leaves", state=InstanceState.DRAINING)
    make_instance(revision, f"unix:{sockets}/ill", state=InstanceState.UNHEALTHY)
    make_instance(revision, f"unix:{sockets}/stays")

    async def scenario() -> None:
        async with (
            FakeModel(PREDICTS, sockets / "leaves") as leaves,
            FakeModel(PREDICTS, sockets / "ill") as ill,
            FakeModel(PREDICTS, sockets / "stays") as stays,
            gateway() as app,
        ):
            for _ in range(4):
                assert (await ask(app, people.ada.token)).status == 200
            assert (len(leaves.heard), len(ill.heard), len(stays.heard)) == (0, 0, 4)

    run(scenario())


def test_a_call_that_a_model_took_is_not_tried_again(people: People, revision: Revision, sockets: Path) -> None:
    make_instance(revision, f"unix:{sockets}/one")
    make_instance(revision, f"unix:{sockets}/two")

    async def scenario() -> None:
        async with (
            FakeModel(closes(), sockets / "one") as one,
            FakeModel(closes(), sockets / "two") as two,
            gateway() as app,
        ):
            met = await ask(app, people.ada.token)
            assert (met.status, met.json()["error_code"]) == (502, "INTERNAL_ERROR")
            assert len(one.heard) + len(two.heard) == 1

    run(scenario())


@pytest.mark.parametrize("is_tcp", [False, True])
def test_an_idle_connection_that_ended_costs_no_call(
    people: People, revision: Revision, sockets: Path, is_tcp: bool
) -> None:
    async def scenario() -> None:
        async with FakeModel(PREDICTS, None if is_tcp else sockets / "one") as model:
            await act(lambda: make_instance(revision, model.address))
            async with gateway() as app:
                for number in range(1, 4):
                    assert (await ask(app, people.ada.token)).status == 200
                    model.hang_up()
                    assert len(model.heard) == number

    run(scenario())


@pytest.mark.parametrize("is_tcp", [False, True])
def test_a_call_that_nobody_read_is_tried_again(
    people: People, revision: Revision, sockets: Path, is_tcp: bool
) -> None:
    """It lay in the buffer of a process that was killed: its kernel says so, and no model has seen it."""

    async def scenario() -> None:
        listener = socket.socket(socket.AF_INET if is_tcp else socket.AF_UNIX)
        listener.bind(("127.0.0.1", 0) if is_tcp else str(sockets / "killed"))
        listener.listen()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}" if is_tcp else f"unix:{sockets}/killed"
        await act(lambda: make_instance(revision, address))
        await act(lambda: make_instance(revision, f"unix:{sockets}/there"))
        async with FakeModel(PREDICTS, sockets / "there") as model, gateway() as app:
            asked = asyncio.gather(ask(app, people.ada.token), ask(app, people.ada.token))
            taken = await asyncio.to_thread(listener.accept)
            # Not on the loop: what is waited for is sent by it.
            assert await asyncio.to_thread(taken[0].recv, 1, socket.MSG_PEEK)
            listener.close()
            taken[0].close()
            assert [met.status for met in await asked] == [200, 200]
            assert len(model.heard) == 2

    run(scenario())


@pytest.mark.parametrize(
    "says",
    [
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n",
        b"not HTTP at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxy",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"x" * 100_000 + b"\r\ncontent-length: 0\r\n\r\n",
    ],
)
def test_an_answer_that_is_none_is_not_passed_on(
    people: People, revision: Revision, sockets: Path, says: bytes
) -> None:
    make_instance(revision, f"unix:{sockets}/one")
    make_instance(revision, f"unix:{sockets}/two")

    async def scenario() -> None:
        async with (
            FakeModel(closes(says), sockets / "one") as one,
            FakeModel(closes(says), sockets / "two") as two,
            gateway() as app,
        ):
            try:
                met = await ask(app, people.ada.token)
            except Exception as error:  # noqa: BLE001 - the head had gone out: the server ends the connection
                assert "ended the connection" in str(error)
            else:
                assert met.status == 502
            assert len(one.heard) + len(two.heard) == 1

    run(scenario())


def test_bytes_that_nobody_asked_for_become_nobodys_answer(people: People, revision: Revision, sockets: Path) -> None:
    make_instance(revision, f"unix:{sockets}/one")
    twice = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\none" + b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"

    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(twice)

    async def scenario() -> None:
        async with FakeModel(answer, sockets / "one"), gateway() as app:
            assert [(await ask(app, people.ada.token)).body for _ in range(3)] == [b"one"] * 3

    run(scenario())


def test_one_that_hangs_is_given_up(people: People, revision: Revision, sockets: Path) -> None:
    make_instance(revision, f"unix:{sockets}/one")

    async def scenario() -> None:
        async with FakeModel(hangs, sockets / "one") as model, gateway() as app:
            met = await ask(app, people.ada.token)
            assert met.status == 504
            assert met.json() == {
                "error_code": "DEADLINE_EXCEEDED",
                "message": "Request processing time exceeded limit",
            }
            assert len(model.heard) == 1
            await app.watch.write()
        counted = await act(TrafficMinute.objects.get)
        # As slow as it was for its caller, so that a chart shows it.
        assert (counted.server_errors, counted.total_ms >= 1000) == (1, True)

    run(scenario())


def test_who_leaves_while_a_model_works_takes_the_call_along(people: People, revision: Revision, sockets: Path) -> None:
    Revision.objects.update(config={"timeout_s": 300})
    make_instance(revision, f"unix:{sockets}/one")

    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        """Works on it: nothing is said, and the connection is looked at."""

    async def scenario() -> None:
        async with FakeModel(answer, sockets / "one") as model, gateway() as app:
            met = await send(app, scope_of(headers=_headers(people)), [BODY], then="http.disconnect")
            assert not met.messages
            await _ended(model)
            assert [each.in_hand for each in app.watch.table.upstreams()] == [0]
            await app.watch.write()
        counted = await act(TrafficMinute.objects.get)
        assert (counted.requests, counted.client_errors, counted.server_errors) == (1, 1, 0)

    run(scenario())


def test_who_leaves_within_an_answer_ends_it(people: People, revision: Revision, sockets: Path) -> None:
    Revision.objects.update(config={"timeout_s": 300})
    make_instance(revision, f"unix:{sockets}/one")

    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")

    async def scenario() -> None:
        async with FakeModel(answer, sockets / "one") as model, gateway() as app:
            met = await send(app, scope_of(headers=_headers(people)), [BODY], then="http.disconnect")
            assert (met.status, met.body, met.is_whole) == (200, b"first", False)
            await _ended(model)

    run(scenario())


def test_a_slow_answer_comes_to_who_waits_for_it(people: People, revision: Revision, sockets: Path) -> None:
    make_instance(revision, f"unix:{sockets}/one")

    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        # Longer than the gateway takes to begin to look whether its caller is there.
        await asyncio.sleep(0.6)
        await PREDICTS(heard, writer)

    async def scenario() -> None:
        async with FakeModel(answer, sockets / "one") as model, gateway() as app:
            assert [(await ask(app, people.ada.token)).status for _ in range(2)] == [200, 200]
            assert model.connections == 1

    run(scenario())


async def _ended(model: FakeModel) -> None:
    """Wait until the model has seen the end of its connections."""
    async with asyncio.timeout(PATIENCE):
        while model.open:
            await asyncio.sleep(0.01)


def _headers(people: People) -> list[tuple[str, str]]:
    return [
        ("host", "testserver"),
        ("authorization", f"Bearer {people.ada.token}"),
        ("content-length", str(len(BODY))),
    ]


def test_an_answer_may_come_byte_by_byte(people: People, revision: Revision, sockets: Path) -> None:
    make_instance(revision, f"unix:{sockets}/one")

    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok":
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)

    async def scenario() -> None:
        async with FakeModel(answer, sockets / "one"), gateway() as app:
            met = await ask(app, people.ada.token)
            assert (met.status, met.body) == (200, b"ok")

    run(scenario())


def test_an_answer_that_stops_in_the_middle_breaks_off(people: People, revision: Revision, sockets: Path) -> None:
    make_instance(revision, f"unix:{sockets}/one")
    begins = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n"

    async def scenario() -> None:
        async with FakeModel(closes(begins), sockets / "one") as model, gateway() as app:
            with pytest.raises(Exception, match="ended the connection"):
                await ask(app, people.ada.token)
            assert len(model.heard) == 1

    run(scenario())


def test_an_answer_before_the_body_is_through_is_passed_on(people: People, revision: Revision, sockets: Path) -> None:
    """A model that refuses while its caller still sends."""
    make_instance(revision, f"unix:{sockets}/one")

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 4\r\nretry-after: 1\r\n\r\nbusy")
        while await reader.read(65536):
            pass
        writer.close()

    async def scenario() -> None:
        server = await asyncio.start_unix_server(refuse, sockets / "one")
        async with server, gateway() as app:
            met = await ask(app, people.ada.token, body=[b"x" * 65536] * 64)
            assert (met.status, met.body, met.headers["retry-after"]) == (429, b"busy", "1")

    run(scenario())


def test_the_database_may_be_away(
    people: People, revision: Revision, sockets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_instance(revision, f"unix:{sockets}/one")

    def fail() -> int:
        raise ConnectionError("the database is away")

    async def scenario() -> None:
        async with FakeModel(PREDICTS, sockets / "one"), gateway() as app:
            assert (await ask(app, people.ada.token)).status == 200
            monkeypatch.setattr("apps.deployments.gateway.watching.read_epoch", fail)
            await app.watch.refresh()
            assert (await ask(app, people.ada.token)).status == 200
            assert (await ask(app, people.ada.token, path="/serve/other/invocations")).status == 404

    run(scenario())


def test_a_deployment_that_is_made_is_found_at_once(people: People, sockets: Path) -> None:
    async def scenario() -> None:
        async with FakeModel(PREDICTS, sockets / "one"), gateway() as app:
            assert (await ask(app, people.ada.token)).status == 404
            await act(lambda: make_instance(make_revision(make_deployment(people.forge)), f"unix:{sockets}/one"))
            assert (await ask(app, people.ada.token)).status == 200
            await act(lambda: Deployment.objects.all().delete())

    run(scenario())


def test_what_came_and_what_became_of_it_is_counted(people: People, revision: Revision, sockets: Path) -> None:
    instance = make_instance(revision, f"unix:{sockets}/one")
    statuses = iter(["200 OK", "200 OK", "400 Bad Request", "500 No"])

    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {next(statuses)}\r\ncontent-length: 0\r\n\r\n".encode())

    def total() -> tuple[int, ...]:
        rows = list(TrafficMinute.objects.filter(revision=revision))
        names = ("requests", "client_errors", "server_errors", "unreached")
        counted = [sum(getattr(row, name) for row in rows) for name in names]
        return (*counted, sum(getattr(row, f"b{number}") for row in rows for number in range(16)))

    async def scenario() -> None:
        async with FakeModel(answer, sockets / "one"), gateway() as app:
            for _ in range(2):
                await ask(app, people.ada.token)
            await app.watch.write()
            assert await act(total) == (2, 0, 0, 0, 2)
            for _ in range(2):
                await ask(app, people.ada.token)
            await act(lambda: Instance.objects.filter(pk=instance.pk).update(address="unix:/nowhere"))
        async with gateway() as app:
            assert (await ask(app, people.ada.token)).status == 503
        assert await act(total) == (5, 1, 1, 1, 4)

    run(scenario())
