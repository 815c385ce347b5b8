"""The one port: WebSockets to Channels, everything else to Django's WSGI handler on threads (docs/adr/0002)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

from django.db import close_old_connections

from slipway.bridge import Bridge
from slipway.wsgi import application as django

from slipway.routing import websockets  # isort: skip  (after Django is set up)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

# Slow transfers of files, and those who wait for more of a log, have threads of their own: calls never wait for them.
_calls = ThreadPoolExecutor(12, "call")
_transfers = ThreadPoolExecutor(24, "transfer")
_waits = ThreadPoolExecutor(64, "wait")


def _pool_for(path: str) -> Executor:
    if path.startswith("/api/v1/project-runs/") and path.rstrip("/").endswith("/log"):
        return _waits
    return _transfers if "artifact" in path or path.startswith("/api/v1/project-archives") else _calls


# A transfer holds no connection of the database's pool while it waits for the network.
_http = Bridge(django, _pool_for, before_waiting=close_old_connections)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application."""
    match scope["type"]:
        case "http":
            await _http(scope, receive, send)
        case "websocket":
            await websockets(scope, receive, send)
        case "lifespan":
            await _live(receive, send)


async def _live(receive: Receive, send: Send) -> None:
    """Start and stop: threads finish what they are doing, and take nothing new."""
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    for pool in (_calls, _transfers, _waits):
        pool.shutdown(wait=False, cancel_futures=True)
    await send({"type": "lifespan.shutdown.complete"})
