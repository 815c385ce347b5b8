"""Open pages of a deployment hear that it changed, for as long as their person may see it."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async

from apps.accounts import consumers
from apps.accounts.models import Membership
from apps.deployments import actions, live
from apps.deployments.models import Deployment, ServingHost
from tests.deployments.making import fresh, make_host, make_ready, ready_deployment
from tests.experiments.live.sockets import Socket
from tests.personas import People


@pytest.fixture(autouse=True)
def _one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Channels closes connections around each use, and with them the transaction that a test runs in."""
    monkeypatch.setattr("channels.db.close_old_connections", lambda: None)


@pytest.fixture
def deployment(people: People) -> Deployment:
    return ready_deployment(people.ada)


def path_of(deployment: Deployment) -> str:
    return f"/ws/deployments/{deployment.pk}/"


async def push(deployment: Deployment) -> None:
    """What the thread of a process does a moment after it committed."""
    live.touch(deployment.pk)
    await live.pushes.deliver(live.messages_of(live.pushes.take()))


@async_to_sync
async def handshake(socket: Socket) -> bool:
    async with socket:
        return socket.accepted


def test_it_says_when_something_changed(people: People, deployment: Deployment) -> None:
    ada = people.ada.actor

    @async_to_sync
    async def page() -> list[Any]:
        async with Socket(people.vera, path_of(deployment)) as socket:
            heard = [await socket.hears()]
            await push(deployment)
            await sync_to_async(actions.stop_deployment)(ada, deployment=deployment)
            await push(deployment)
            return [*heard, await socket.hears()]

    first, second = page()
    assert first["now"] != second["now"]
    news = people.vera.browser().get("/deployments/iris/news/").json()
    assert news == second


def test_what_it_says_is_of_revisions_routes_and_instances_too(people: People, deployment: Deployment) -> None:
    def now() -> str:
        return str(people.vera.browser().get("/deployments/iris/news/").json()["now"])

    seen = [now()]
    assert now() == seen[0]
    actions.scale(people.ada.actor, deployment=deployment, instances=2)
    seen.append(now())
    wanted = fresh(deployment).wanted
    assert wanted is not None
    make_ready(wanted, weight=0)
    seen.append(now())
    # Whether somebody serves at all, and where, is said too.
    host = make_host()
    seen.append(now())
    ServingHost.objects.filter(pk=host.pk).update(targets=["docker"])
    seen.append(now())
    assert len(set(seen)) == 5
    ServingHost.objects.update(seen_ms=0)
    assert now() == seen[2]


def test_only_who_may_see_it_hears_it(people: People, deployment: Deployment) -> None:
    assert handshake(Socket(people.vera, path_of(deployment)))
    assert not handshake(Socket(people.cleo, path_of(deployment)))
    assert not handshake(Socket(people.vera, "/ws/deployments/999/"))


def test_who_loses_the_right_hears_no_more(people: People, deployment: Deployment) -> None:
    @async_to_sync
    async def page() -> list[Any]:
        async with Socket(people.vera, path_of(deployment)) as socket:
            await socket.hears()
            await Membership.objects.filter(user=people.vera.user).adelete()
            await push(deployment)
            return [await socket.hears(), await socket.hears()]

    gone, code = page()
    assert gone == {"gone": True}
    assert code == 4403


def test_a_socket_that_falls_gives_its_place_back(
    people: People, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall(group: str) -> None:
        raise RuntimeError("the broker fell")

    monkeypatch.setattr(live.pushes, "watch", fall)
    with pytest.raises(RuntimeError, match="the broker fell"):
        handshake(Socket(people.vera, path_of(deployment)))
    assert not consumers._open_sockets
