"""Deployments' own HTTP ports: opened, moved and closed as rows change, and served by the same gateway.

A process of its own, which `slipway serving` starts: `python -m slipway.cli serving-ports`.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings

from apps.core.actor import system_actor
from apps.core.http_server import Server
from apps.core.proxies import name_caller
from apps.deployments.actions import note_port_error
from apps.deployments.gateway.app import Gateway
from apps.deployments.gateway.doors import Door
from apps.deployments.gateway.front import Front
from apps.deployments.gateway.relay import Receive, Send
from apps.deployments.gateway.table import Endpoint
from apps.deployments.gateway.threads import Threads
from apps.deployments.ports import Port
from apps.deployments.serve.ports import why_not

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.3
# A port that is taken may be about to be given back: by a deployment that moves, or one of us that ends.
_TAKEN_SECONDS = 3.0
_CLOSING_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Listener:
    """What a deployment wants to be listened on."""

    deployment: int
    name: str
    host: str
    number: int
    is_open: bool


class _Open:
    """A listener that is open."""

    def __init__(self, gateway: Gateway, wanted: Listener) -> None:
        self._gateway, self._proxies = gateway, settings.TRUSTED_PROXIES
        door = Door(wanted.name.lower().encode(), wanted.is_open)
        self._server = Server(
            self._answer,
            partial(Front, gateway, door),
            host=wanted.host,
            port=wanted.number,
            websockets=False,
            lifespan=False,
            signals=False,
        )
        self.serving = asyncio.get_running_loop().create_task(self._serve())

    async def close(self) -> None:
        """Take no new calls, and finish those that are in hand."""
        self._server.stop()
        try:
            async with asyncio.timeout(_CLOSING_SECONDS):
                await asyncio.shield(self.serving)
        except Exception as error:  # noqa: BLE001 - it is closed, however it ended
            logger.warning("a port was not closed in order: %r", error)

    async def _serve(self) -> None:
        try:
            await self._server.serve()
        except SystemExit as error:
            # So uvicorn ends a program whose port it does not get; this one has others.
            raise OSError("the port was taken a moment before") from error

    async def _answer(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if self._proxies:
            name_caller(scope, self._proxies)
        await self._gateway(scope, receive, send)


class Ports:
    """Keeps open what the gateway's table says. `run` until `stop`."""

    def __init__(self, gateway: Gateway, threads: Threads) -> None:
        self._gateway, self._threads = gateway, threads
        self._open: dict[Listener, _Open] = {}
        self._closing: set[asyncio.Task[None]] = set()
        # Since when a port can't be had, by the loop's clock, and what was said of each.
        self._failing: dict[Listener, float] = {}
        self._said: dict[Listener, str] = {}
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End soon."""
        self._stopping.set()

    async def run(self) -> None:
        """Look, again and again."""
        while not self._stopping.is_set():
            await self.look()
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._stopping.wait()
            except TimeoutError:
                pass
        for listener in list(self._open):
            self._close(listener)
        await asyncio.gather(*self._closing)

    async def look(self) -> None:
        """Close what is not wanted any more, and open what is."""
        wanted = {found for each in self._gateway.watch.table.endpoints.values() if (found := wanted_of(each))}
        for listener, opened in list(self._open.items()):
            if listener not in wanted or opened.serving.done():
                self._close(listener)
        self._failing = {listener: since for listener, since in self._failing.items() if listener in wanted}
        self._said = {listener: said for listener, said in self._said.items() if listener in wanted}
        for listener in sorted(wanted - self._open.keys(), key=lambda each: each.number):
            await self._try(listener)

    async def _try(self, wanted: Listener) -> None:
        now = asyncio.get_running_loop().time()
        why = await asyncio.to_thread(why_not, wanted.host, wanted.number)
        if not why:
            self._open[wanted] = _Open(self._gateway, wanted)
            self._failing.pop(wanted, None)
        elif now - self._failing.setdefault(wanted, now) < _TAKEN_SECONDS:
            return
        if self._said.get(wanted) != why and await self._threads.run(partial(_tell, wanted, why)):
            self._said[wanted] = why

    def _close(self, listener: Listener) -> None:
        task = asyncio.get_running_loop().create_task(self._open.pop(listener).close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


def wanted_of(endpoint: Endpoint) -> Listener | None:
    """Its port, if it has one. That of a stopped deployment stays open and says so."""
    if endpoint.port is None:
        return None
    host, number, is_open = endpoint.port
    needs_none = not Port(number, host, is_open).wants_token
    return Listener(endpoint.pk, endpoint.name, host, number, needs_none)


def _tell(listener: Listener, why: str) -> bool:
    """In a thread: write it down. False where the database does not take it now."""
    try:
        note_port_error(system_actor(), deployment_id=listener.deployment, port=listener.number, error=why)
    except Exception as error:  # noqa: BLE001 - the port matters more than what is said of it
        logger.warning("what became of port %s can't be written down now: %s", listener.number, error)
        return False
    return True


async def serve() -> None:
    """Serve ports until SIGTERM or Ctrl-C."""
    threads = Threads()
    gateway = Gateway()
    ports = Ports(gateway, threads)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ports.stop)
    await gateway.start()
    try:
        await ports.run()
    finally:
        await gateway.stop()


def run(work: Coroutine[Any, Any, None]) -> None:
    """On the faster loop, which is not made for Windows."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(work)
    else:
        uvloop.run(work)
