from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from redis.exceptions import ConnectionError as RedisConnectionError

from apps.accounts import consumers
from apps.accounts.models import Membership
from apps.experiments import live
from tests.experiments.live.sockets import Socket
from tests.experiments.runs import log_metrics, make_run
from tests.personas import People

STATUS = {"status": "RUNNING", "end_ms": None}


@pytest.fixture
def run_id(people: People) -> str:
    return make_run(people.ada)


async def push(run_id: str, *parts: Any) -> None:
    """What the thread of a process does a moment after `touch`."""
    for part in parts:
        live.touch(run_id, part)
    taken = live.pushes.take()
    await live.pushes.deliver(live.messages_of(taken, await sync_to_async(live.experiments_of)(taken)))


@async_to_sync
async def handshake(socket: Socket) -> bool:
    async with socket:
        return socket.accepted


def test_a_reader_hears_the_status_first(people: People, run_id: str) -> None:
    @async_to_sync
    async def page() -> Any:
        async with Socket(people.vera, f"/ws/runs/{run_id}/") as socket:
            return await socket.hears()

    assert page()["run"].items() >= STATUS.items()


def test_only_groups_that_a_page_watches_are_told(people: People, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    class Layer:
        async def group_send(self, group: str, message: dict[str, Any]) -> None:
            told.append(group)

    @async_to_sync
    async def pages() -> None:
        await push(run_id, "metrics")
        assert told == []
        async with Socket(people.vera, f"/ws/runs/{run_id}/") as socket:
            await socket.hears()
            await push(run_id, "metrics")

    monkeypatch.setattr("apps.core.live.get_channel_layer", Layer)
    pages()
    assert told == [live.run_group(run_id)]


def test_new_points_of_the_lines_that_the_page_draws(people: People, run_id: str) -> None:
    log_metrics(people.ada, run_id, "loss", [1.0, 0.5])
    log_metrics(people.ada, run_id, "other", [3.0])

    @async_to_sync
    async def page() -> Any:
        async with Socket(people.ben, f"/ws/runs/{run_id}/") as socket:
            await socket.hears()
            await socket.says({"watch": {"loss": [1, 1001]}})
            await socket.hears()
            await sync_to_async(log_metrics)(people.ada, run_id, "loss", [0.25, float("nan")], first_step=2)
            await push(run_id, "metrics", "params")
            return await socket.hears()

    news = page()
    assert news["lines"] == {"loss": {"steps": [2, 3], "times": [1002, 1003], "values": [0.25, None]}}
    assert news["metrics"]["loss"]["count"] == 4
    assert (news["stale"], news["changed"], set(news["metrics"])) == ([], ["params"], {"loss"})


def test_points_before_the_end_of_a_line_make_it_stale(people: People, run_id: str) -> None:
    log_metrics(people.ada, run_id, "loss", [1.0], first_step=10)

    @async_to_sync
    async def page() -> Any:
        async with Socket(people.ben, f"/ws/runs/{run_id}/") as socket:
            await socket.hears()
            await socket.says({"watch": {"loss": [10, 1010]}})
            await socket.hears()
            await sync_to_async(log_metrics)(people.ada, run_id, "loss", [2.0], first_step=4)
            await push(run_id, "metrics")
            return await socket.hears()

    assert page()["stale"] == ["loss"]


@pytest.mark.parametrize("origin", ["https://evil.example", "http://testserver.evil.example", "null", None])
def test_a_page_of_another_site_is_refused(people: People, run_id: str, origin: str | None) -> None:
    assert not handshake(Socket(people.ada, f"/ws/runs/{run_id}/", origin=origin))


def test_nobody_and_outsiders_are_refused(people: People, run_id: str) -> None:
    assert not handshake(Socket(None, f"/ws/runs/{run_id}/"))
    assert not handshake(Socket(people.cleo, f"/ws/runs/{run_id}/"))


@pytest.mark.parametrize(
    "path", ["/ws/runs/nothing/", "/ws/", "/ws/runs/../x/", "/ws/experiments/99999999999999999999/"]
)
def test_what_is_not_there_is_refused(people: People, path: str) -> None:
    assert not handshake(Socket(people.ada, path))


def test_it_closes_when_the_right_is_withdrawn(people: People, run_id: str) -> None:
    @async_to_sync
    async def page() -> list[Any]:
        async with Socket(people.vera, f"/ws/runs/{run_id}/") as socket:
            await socket.hears()
            await sync_to_async(Membership.objects.filter(user=people.vera.user).delete)()
            await push(run_id, "metrics")
            return [await socket.hears(), await socket.hears()]

    assert page() == [{"gone": True}, consumers.CLOSED_NO_RIGHT]


def test_it_closes_by_itself_when_the_session_ends(
    people: People, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "LOOK_SECONDS", 0.01)

    @async_to_sync
    async def page() -> list[Any]:
        async with Socket(people.vera, f"/ws/runs/{run_id}/") as socket:
            await socket.hears()
            await sync_to_async(Session.objects.filter(session_key=socket.session_key).delete)()
            return [await socket.hears(), await socket.hears()]

    assert page() == [{"gone": True}, consumers.CLOSED_NO_RIGHT]


@pytest.mark.parametrize("message", [[1], {"watch": {"loss": [2**63, 0]}}, {"watch": 3}, "x"])
def test_messages_that_mean_nothing_change_nothing(people: People, run_id: str, message: Any) -> None:
    @async_to_sync
    async def page() -> Any:
        async with Socket(people.ben, f"/ws/runs/{run_id}/") as socket:
            await socket.hears()
            await socket.says(message)
            await push(run_id, "tags")
            return await socket.hears()

    assert page() == {"changed": ["tags"]}


def test_a_large_message_closes(people: People, run_id: str) -> None:
    @async_to_sync
    async def page() -> Any:
        async with Socket(people.ben, f"/ws/runs/{run_id}/") as socket:
            await socket.hears()
            await socket.says("x" * 20_000)
            return await socket.hears()

    assert page() == consumers.CLOSED_TOO_LARGE


def test_a_session_has_so_many_sockets(people: People, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "MAX_SOCKETS_OF_A_SESSION", 0)
    assert not handshake(Socket(people.ben, f"/ws/runs/{run_id}/"))


def test_a_broker_that_is_away_takes_no_places(people: People, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*args: Any) -> None:
        raise RedisConnectionError("gone")

    monkeypatch.setattr(consumers, "MAX_SOCKETS_OF_A_SESSION", 1)
    with monkeypatch.context() as broken:
        broken.setattr("channels.layers.InMemoryChannelLayer.group_add", away)
        assert not handshake(Socket(people.vera, f"/ws/runs/{run_id}/"))
    assert not consumers._open_sockets


@pytest.mark.parametrize(("address", "accepted"), [("127.0.0.1", True), ("192.168.1.9", False)])
def test_without_a_login_this_machine_alone_is_answered(
    people: People, run_id: str, address: str, accepted: bool
) -> None:
    here = {"host": "localhost", "origin": "http://localhost"}
    # A name that nobody has: then it is the first administrator, as for pages.
    with override_settings(NO_LOGIN=True, ADMIN_USERNAME="admin"):
        assert handshake(Socket(None, f"/ws/runs/{run_id}/", address=address, **here)) is accepted


def test_a_push_costs_so_many_statements(people: People, run_id: str) -> None:
    keys = [f"loss{number}" for number in range(20)]
    for key in keys:
        log_metrics(people.ada, run_id, key, [1.0, 2.0])

    @async_to_sync
    async def page() -> int:
        async with Socket(people.ben, f"/ws/runs/{run_id}/") as socket:
            await socket.hears()
            captured = CaptureQueriesContext(connection)
            await sync_to_async(captured.__enter__)()
            await socket.says({"watch": {key: [0, 1000] for key in keys}})
            await socket.hears()
            return await sync_to_async(lambda: len(captured))()

    # Session, person, roles; run, grants; series, points.
    assert page() == 7
