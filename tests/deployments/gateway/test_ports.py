"""Deployments' own ports, as sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from apps.deployments.actions import note_port_error
from apps.deployments.actions.common import move_epoch
from apps.deployments.gateway.app import Gateway
from apps.deployments.gateway.doors import SCOPE_KEY, Door
from apps.deployments.gateway.ports import Ports
from apps.deployments.models import Deployment
from apps.deployments.serve.ports import why_not
from tests.deployments.gateway import asking
from tests.deployments.gateway.asking import Answered, act, gateway, run, scope_of, send
from tests.deployments.gateway.making import make_deployment, make_instance, make_revision
from tests.deployments.gateway.models import PREDICTS, FakeModel, Heard
from tests.personas import People
from tests.servers import free_port
from tests.waiting import PATIENCE


async def call(port: int, token: str = "", path: str = "/invocations") -> tuple[int, str]:
    """A POST; status 0 where nobody listens, or not any more."""
    authorization = f"authorization: Bearer {token}\r\n" if token else ""
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\ncontent-length: 2\r\n"
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{head}{authorization}\r\n{{}}".encode())
        said = (await reader.read()).decode()
    except ConnectionError:
        return 0, ""
    writer.close()
    return (int(said.split(" ")[1]) if said else 0), said.partition("\r\n\r\n")[2]


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[Gateway, Ports]]:
    async with gateway() as app:
        ports = Ports(app, asking.threads())
        running = asyncio.create_task(ports.run())
        try:
            yield app, ports
        finally:
            ports.stop()
            await running


def test_a_port_opens_moves_and_closes_with_its_row(people: People, sockets: Path) -> None:
    first, second = free_port(), free_port()
    deployment = make_deployment(people.forge, port=first)
    make_instance(make_revision(deployment), f"unix:{sockets}/one")

    def move(port: int | None) -> None:
        Deployment.objects.update(port=port)
        move_epoch()

    async def answers(port: int) -> bool:
        return (await call(port))[0] == 200

    async def scenario() -> None:
        async with FakeModel(PREDICTS, sockets / "one") as model, listening():
            async with asyncio.timeout(30):
                while not await answers(first):
                    await asyncio.sleep(0.02)
                assert model.heard[-1].line == "POST /invocations HTTP/1.1"
                assert (await call(first, path="/serve/iris/invocations"))[0] == 404
                await act(lambda: move(second))
                while not await answers(second):
                    await asyncio.sleep(0.02)
                while (await call(first))[0]:
                    await asyncio.sleep(0.02)
                await act(lambda: move(None))
                while (await call(second))[0]:
                    await asyncio.sleep(0.02)

    run(scenario())


def test_who_hangs_up_takes_the_call_along(people: People, sockets: Path) -> None:
    """With the server that brings calls here for real: that it tells of who leaves is what all rests on."""
    port = free_port()
    make_instance(make_revision(make_deployment(people.forge, port=port), timeout_s=300), f"unix:{sockets}/one")

    async def works(heard: Heard, writer: asyncio.StreamWriter) -> None:
        """Never answers, and looks at the connection."""

    async def scenario() -> None:
        async with FakeModel(works, sockets / "one") as model, listening(), asyncio.timeout(30):
            while not model.heard:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except ConnectionError:
                    await asyncio.sleep(0.02)
                    continue
                writer.write(b"POST /invocations HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 2\r\n\r\n{}")
                while not model.heard:
                    await asyncio.sleep(0.02)
            writer.close()
            while model.open:
                await asyncio.sleep(0.02)

    run(scenario())


def test_a_port_that_is_taken_is_named_with_who_has_it(people: People) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        make_deployment(people.forge, port=port)

        def said() -> str:
            return Deployment.objects.get().port_error

        async def scenario() -> None:
            async with listening():
                async with asyncio.timeout(30):
                    while not (why := await act(said)):
                        await asyncio.sleep(0.05)
                    assert why.startswith(f"port {port} is taken by ")
                    assert "process" in why
                    taken.close()
                    while await act(said):
                        await asyncio.sleep(0.05)
                    assert (await call(port))[0] == 503

        run(scenario())


def test_an_address_of_another_machine_is_said_to_be_one() -> None:
    assert why_not("192.0.2.1", 5001) == "192.0.2.1 is no address of this machine"


def test_an_error_of_a_port_that_was_given_up_is_not_kept(people: People) -> None:
    deployment = make_deployment(people.forge, port=5001)
    note_port_error(people.root.actor, deployment_id=deployment.pk, port=5002, error="taken")
    deployment.refresh_from_db()
    assert deployment.port_error == ""


async def _at(app: Gateway, is_open: bool, *headers: tuple[str, str]) -> Answered:
    scope = scope_of("/invocations", headers=[("host", "10.0.0.5:5001"), ("content-length", "2"), *headers])
    return await send(app, {**scope, SCOPE_KEY: Door(b"iris", is_open)}, [b"{}"])


def test_who_comes_by_a_port_that_is_not_open_shows_a_token(people: People, sockets: Path) -> None:
    make_instance(make_revision(make_deployment(people.forge)), f"unix:{sockets}/one")
    cookie = f"slipway_session={people.ada.browser().cookies['slipway_session'].value}; slipway_csrf={'a' * 32}"

    async def scenario() -> None:
        async with FakeModel(PREDICTS, sockets / "one"), gateway() as app:
            assert (await _at(app, False)).status == 401
            assert (await _at(app, False, ("cookie", cookie), ("x-csrftoken", "a" * 32))).status == 401
            assert (await _at(app, False, ("authorization", f"Bearer {people.ada.token}"))).status == 200
            assert (await _at(app, False, ("authorization", f"Bearer {people.cleo.token}"))).status == 404
            assert (await _at(app, True)).status == 200
            assert (await _at(app, True, ("origin", "http://evil.example"))).status == 403

    run(scenario())


def test_those_who_connect_and_say_nothing_keep_nobody_out(people: People, sockets: Path) -> None:
    port = free_port()
    make_instance(make_revision(make_deployment(people.forge, port=port)), f"unix:{sockets}/one")

    async def answers() -> bool:
        async with asyncio.timeout(PATIENCE):
            while (await call(port))[0] != 200:
                await asyncio.sleep(0.05)
        return True

    async def scenario() -> None:
        async with FakeModel(PREDICTS, sockets / "one"), listening() as (app, _):
            await app.watch.refresh()
            assert await answers()
            silent = []
            try:
                for _ in range(1200):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.write(b"POST /invoc")
                    silent.append(writer)
                async with asyncio.timeout(5):
                    assert await answers()
            finally:
                for writer in silent:
                    writer.close()

    run(scenario())
