"""Calls that are answered in the connection itself: as the ordinary ones, whatever the model does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.accounts import actions
from apps.core import http_server
from apps.deployments.gateway import front
from apps.deployments.models import Revision, TrafficMinute
from tests.deployments.gateway.asking import BODY, act, run
from tests.deployments.gateway.dialing import Line, Listening, line_to, listening, request
from tests.deployments.gateway.making import make_deployment, make_instance, make_revision
from tests.deployments.gateway.models import PREDICTS, Answer, FakeModel, Heard, says
from tests.personas import People
from tests.waiting import PATIENCE


@pytest.fixture
def revision(people: People, sockets: Path) -> Revision:
    made = make_revision(make_deployment(people.forge), timeout_s=1)
    make_instance(made, f"unix:{sockets}/it")
    return made


def first_predicts(*then: Answer) -> Answer:
    """Answers the first call as it should, so that all is known for the second, and each of the next by its own."""
    left: Iterator[Answer] = iter((PREDICTS, *then))

    async def answer(heard: Heard, writer: asyncio.StreamWriter) -> None:
        await next(left, PREDICTS)(heard, writer)

    return answer


async def closes(heard: Heard, writer: asyncio.StreamWriter) -> None:
    """Takes the call and ends the connection."""
    writer.close()


async def hangs(heard: Heard, writer: asyncio.StreamWriter) -> None:
    """Takes the call and never answers."""
    await asyncio.sleep(60)


async def streams(heard: Heard, writer: asyncio.StreamWriter) -> None:
    """Answers in pieces, slowly."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n")
    for piece in (b"one", b"two", b"three"):
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        await asyncio.sleep(0.02)
    writer.write(b"0\r\n\r\n")


async def warm(there: Listening, line: Line, token: str) -> None:
    """A first call, after which all is known."""
    assert (await line.ask(token)).status == 200
    there.ordinary.clear()


def test_it_answers_as_the_ordinary_way_does(people: People, revision: Revision, sockets: Path) -> None:
    async def scenario() -> None:
        says_much = says(b'{"predictions": [1]}', x_model="mine", set_cookie="a=b", etag="e")
        async with FakeModel(says_much, sockets / "it") as model, listening() as there, line_to(there) as line:
            ordinary = await line.ask(people.ada.token, x_request_id="one-request-id", x_own="kept")
            assert len(there.ordinary) == 1
            ordinary.headers.pop("date")
            # The second is read anew, and the third is known by its head.
            for _ in range(2):
                quick = await line.ask(people.ada.token, x_request_id="one-request-id", x_own="kept")
                assert len(there.ordinary) == 1
                quick.headers.pop("date")
                assert quick == ordinary
            assert model.heard[0] == model.heard[1] == model.heard[2]
            assert "authorization" not in model.heard[1].headers

    run(scenario())


def test_heads_are_told_apart_and_bodies_and_ids_are_new(people: People, revision: Revision, sockets: Path) -> None:
    async def echoes(heard: Heard, writer: asyncio.StreamWriter) -> None:
        await says(heard.body + heard.headers.get("x-own", "").encode())(heard, writer)

    async def scenario() -> None:
        async with FakeModel(echoes, sockets / "it"), listening() as there, line_to(there) as line:
            await warm(there, line, people.ada.token)
            ids = set()
            for body in (b"11", b"22", b"333", b"444", b"44", b"", b"5" * 70_000, b"66", b"66"):
                for own in ("a", "a", "b"):
                    met = await line.ask(people.ada.token, body, x_own=own)
                    assert met.body == body + own.encode()
                    ids.add(met.headers["x-request-id"])
            assert len(ids) == 27
            assert (await line.ask("wrong", b"66", x_own="b")).status == 401
            assert (await line.ask(people.ada.token, b"66", x_own="b")).status == 200

    run(scenario())


@pytest.mark.parametrize("piece_bytes", [1, 7, 100])
def test_a_call_that_comes_in_pieces(people: People, revision: Revision, sockets: Path, piece_bytes: int) -> None:
    async def scenario() -> None:
        async with FakeModel(PREDICTS, sockets / "it") as model, listening() as there, line_to(there) as line:
            await warm(there, line, people.ada.token)
            whole = request(people.ada.token)
            for start in range(0, len(whole), piece_bytes):
                line.say(whole[start : start + piece_bytes])
                await asyncio.sleep(0)
            assert (await line.hear()).status == 200
            assert (model.heard[-1].body, there.ordinary) == (BODY, [])

    run(scenario())


def test_a_body_that_is_slow_goes_the_ordinary_way(
    people: People, revision: Revision, sockets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(front, "_GATHER_SECONDS", 0.05)
    monkeypatch.setattr(http_server, "_SWEEP_SECONDS", 0.05)

    async def scenario() -> None:
        async with FakeModel(PREDICTS, sockets / "it") as model, listening() as there, line_to(there) as line:
            await warm(there, line, people.ada.token)
            whole = request(people.ada.token)
            line.say(whole[:-5])
            while not there.ordinary:
                await asyncio.sleep(0.01)
            line.say(whole[-5:])
            assert (await line.hear()).status == 200
            assert model.heard[-1].body == BODY

    run(scenario())


def test_calls_one_behind_the_other_are_answered_in_order(people: People, revision: Revision, sockets: Path) -> None:
    async def echoes(heard: Heard, writer: asyncio.StreamWriter) -> None:
        await says(heard.body)(heard, writer)

    async def scenario() -> None:
        async with FakeModel(echoes, sockets / "it"), listening() as there, line_to(there) as line:
            await warm(there, line, people.ada.token)
            bodies = [b'{"inputs": [%d]}' % number for number in range(20)]
            line.say(b"".join(request(people.ada.token, body) for body in bodies))
            assert [(await line.hear()).body for _ in bodies] == bodies

    run(scenario())


@pytest.mark.parametrize(("behaves", "status"), [(closes, 502), (hangs, 504)])
def test_what_a_model_may_have_seen_is_not_sent_again(
    people: People, revision: Revision, sockets: Path, behaves: Answer, status: int
) -> None:
    async def scenario() -> None:
        async with (
            FakeModel(first_predicts(behaves), sockets / "it") as model,
            listening() as there,
            line_to(there) as line,
        ):
            await warm(there, line, people.ada.token)
            met = await line.ask(people.ada.token)
            assert (met.status, len(model.heard), there.ordinary) == (status, 2, [])
            assert (await line.ask(people.ada.token)).status == 200

    run(scenario())


def test_a_kept_connection_that_has_ended_costs_no_call(people: People, revision: Revision, sockets: Path) -> None:
    async def scenario() -> None:
        async with FakeModel(PREDICTS, sockets / "it") as model, listening() as there, line_to(there) as line:
            for _ in range(20):
                await warm(there, line, people.ada.token)
                line.say(request(people.ada.token))
                model.hang_up()
                assert (await line.hear()).status == 200

    run(scenario())


def test_an_answer_in_pieces_goes_on_in_pieces(people: People, revision: Revision, sockets: Path) -> None:
    async def scenario() -> None:
        async with FakeModel(first_predicts(streams), sockets / "it"), listening() as there, line_to(there) as line:
            await warm(there, line, people.ada.token)
            met = await line.ask(people.ada.token)
            assert (met.status, met.body, there.ordinary) == (200, b"onetwothree", [])
            assert (await line.ask(people.ada.token)).status == 200

    run(scenario())


def test_an_error_comes_without_its_trace(people: People, revision: Revision, sockets: Path) -> None:
    broken = says(b'{"error_code": "BAD_REQUEST", "message": "no", "stack_trace": "secret"}', "400 Bad Request")

    async def scenario() -> None:
        async with FakeModel(first_predicts(broken), sockets / "it"), listening() as there, line_to(there) as line:
            await warm(there, line, people.ada.token)
            met = await line.ask(people.ada.token)
            assert (met.status, met.body) == (400, b'{"error_code":"BAD_REQUEST","message":"no"}')
            assert there.ordinary == []

    run(scenario())


DEEP = b'{"stack_trace": 1, "a": ' + b"[" * 300 + b"]" * 300 + b"}"


@pytest.mark.parametrize(
    ("answer", "status"), [(says(b"{}", "600 Odd"), 502), (says(b"{}", "999 Odd"), 502), (says(DEEP, "500 No"), 500)]
)
def test_answers_that_are_none(people: People, revision: Revision, sockets: Path, answer: Answer, status: int) -> None:
    async def scenario() -> None:
        async with FakeModel(first_predicts(answer), sockets / "it"), listening() as there, line_to(there) as line:
            await warm(there, line, people.ada.token)
            met = await line.ask(people.ada.token)
            assert (met.status, b"stack_trace" in met.body) == (status, False)
            assert (await line.ask(people.ada.token)).status == 200
            (upstream,) = there.app.watch.table.upstreams()
            assert upstream.in_hand == 0

    run(scenario())


def test_a_long_error_comes_whole(people: People, revision: Revision, sockets: Path) -> None:
    long = says(b"x" * 900_000, "500 No", kind="text/plain")

    async def scenario() -> None:
        async with FakeModel(first_predicts(long), sockets / "it"), listening() as there, line_to(there) as line:
            await warm(there, line, people.ada.token)
            met = await line.ask(people.ada.token)
            assert (met.status, len(met.body)) == (500, 900_000)

    run(scenario())


def test_who_leaves_takes_the_call_along(people: People, revision: Revision, sockets: Path) -> None:
    async def scenario() -> None:
        async with FakeModel(first_predicts(hangs), sockets / "it") as model, listening() as there:
            async with line_to(there) as line:
                await warm(there, line, people.ada.token)
                line.say(request(people.ada.token))
                while len(model.heard) < 2:
                    await asyncio.sleep(0.01)
            async with asyncio.timeout(PATIENCE):
                while model.open:
                    model.open = {each for each in model.open if not each.transport.is_closing()}
                    await asyncio.sleep(0.01)
            (upstream,) = there.app.watch.table.upstreams()
            assert upstream.in_hand == 0
        counted = await act(lambda: list(TrafficMinute.objects.values_list("requests", "client_errors")))
        assert [sum(column) for column in zip(*counted, strict=True)] == [2, 1]

    run(scenario())


def test_a_revoked_token_stops_on_the_same_connection(people: People, revision: Revision, sockets: Path) -> None:
    token = people.ada.user.tokens.get()

    async def scenario() -> None:
        async with FakeModel(PREDICTS, sockets / "it"), listening() as there, line_to(there) as line:
            await warm(there, line, people.ada.token)
            assert (await line.ask(people.ada.token)).status == 200
            assert there.ordinary == []
            await act(lambda: actions.revoke_token(people.ada.actor, token=token))
            assert (await line.ask(people.ada.token)).status == 401

    run(scenario())


def test_the_share_of_each_revision_is_exact(people: People, sockets: Path) -> None:
    deployment = make_deployment(people.forge)
    make_instance(make_revision(deployment, 75, 1), f"unix:{sockets}/one")
    make_instance(make_revision(deployment, 25, 2), f"unix:{sockets}/two")

    async def scenario() -> None:
        async with (
            FakeModel(PREDICTS, sockets / "one") as one,
            FakeModel(PREDICTS, sockets / "two") as two,
            listening() as there,
            line_to(there) as line,
        ):
            for _ in range(40):
                assert (await line.ask(people.ada.token)).status == 200
            assert (len(one.heard), len(two.heard)) == (30, 10)
            assert len(there.ordinary) == 1

    run(scenario())


def test_expect_is_heard(people: People, revision: Revision, sockets: Path) -> None:
    async def scenario() -> None:
        async with FakeModel(PREDICTS, sockets / "it"), listening() as there, line_to(there) as line:
            await warm(there, line, people.ada.token)
            whole = request(people.ada.token, expect="100-continue")
            line.say(whole[: -len(BODY)])
            assert (await line.hear()).status == 100
            line.say(BODY)
            assert (await line.hear()).status == 200

    run(scenario())


def test_close_is_heard(people: People, revision: Revision, sockets: Path) -> None:
    async def scenario() -> None:
        async with FakeModel(PREDICTS, sockets / "it"), listening() as there, line_to(there) as line:
            await warm(there, line, people.ada.token)
            met = await line.ask(people.ada.token, connection="close")
            assert (met.status, met.headers["connection"]) == (200, "close")
            assert await line.is_ended()

    run(scenario())


def test_a_server_that_stops_answers_what_is_in_flight(people: People, revision: Revision, sockets: Path) -> None:
    async def late(heard: Heard, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)
        await PREDICTS(heard, writer)

    async def scenario() -> None:
        async with (
            FakeModel(first_predicts(late), sockets / "it") as model,
            listening() as there,
            line_to(there) as line,
        ):
            await warm(there, line, people.ada.token)
            line.say(request(people.ada.token))
            while len(model.heard) < 2:
                await asyncio.sleep(0.01)
            there.server.stop()
            assert (await line.hear()).status == 200
            assert await line.is_ended()

    run(scenario())
