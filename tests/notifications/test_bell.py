from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.sessions.models import Session

from apps.accounts import consumers
from apps.accounts.models import User
from apps.notifications import live
from apps.notifications.actions import publish, read_notifications
from tests.experiments.live.sockets import Socket
from tests.notifications.happenings import happening
from tests.personas import People

PATH = "/ws/notifications/"


@pytest.fixture(autouse=True)
def _one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Channels closes connections around each use, and with them the transaction that a test runs in."""
    monkeypatch.setattr("channels.db.close_old_connections", lambda: None)


def tell(people: People, *users: User) -> None:
    publish(people.ada.actor, happening=happening(people), to=[user.pk for user in users])


async def ring(*users: User) -> None:
    """What the thread of a process does a moment after it committed."""
    live.touch(user.pk for user in users)
    await live.pushes.deliver(live.messages_of(live.pushes.take()))


@async_to_sync
async def handshake(socket: Socket) -> bool:
    async with socket:
        return socket.accepted


def test_it_says_how_many_and_what_changes(people: People) -> None:
    ben, actor = people.ben.user, people.ben.actor

    @async_to_sync
    async def page() -> list[Any]:
        async with Socket(people.ben, PATH) as socket:
            heard = [await socket.hears()]
            await sync_to_async(tell)(people, ben)
            await ring(ben)
            heard.append(await socket.hears())
            await sync_to_async(read_notifications)(actor)
            await ring(ben)
            return [*heard, await socket.hears()]

    assert page() == [{"unread": 0}, {"unread": 1}, {"unread": 0}]


def test_only_bells_that_are_there_are_rung(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[str] = []

    class Layer:
        async def group_send(self, group: str, message: dict[str, Any]) -> None:
            rung.append(group)

    @async_to_sync
    async def pages() -> None:
        async with Socket(people.ben, PATH) as socket:
            await socket.hears()
            await ring(people.ben.user, people.max.user)

    monkeypatch.setattr("apps.core.live.get_channel_layer", Layer)
    pages()
    assert rung == [live.bell_group(people.ben.user.pk)]


def test_it_closes_when_the_session_ends(people: People) -> None:
    @async_to_sync
    async def page() -> list[Any]:
        async with Socket(people.ben, PATH) as socket:
            await socket.hears()
            await sync_to_async(Session.objects.filter(session_key=socket.session_key).delete)()
            await ring(people.ben.user)
            return [await socket.hears(), await socket.hears()]

    assert page() == [{"gone": True}, consumers.CLOSED_NO_RIGHT]


def test_nobody_and_other_sites_are_refused(people: People) -> None:
    assert not handshake(Socket(None, PATH))
    assert not handshake(Socket(people.ben, PATH, origin="https://evil.example"))
