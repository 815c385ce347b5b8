"""The one port: WebSockets to Channels, calls of models to the gateway (docs/adr/0013), everything else to Django.

Django's WSGI handler runs on threads (docs/adr/0002).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.db import close_old_connections

from apps.core import tracing
from apps.core.proxies import name_caller
from slipway.bridge import Bridge
from slipway.tracing import start, traced_gateway
from slipway.wsgi import application as django

# After Django is set up:
from apps.deployments.gateway.app import Gateway  # isort: skip
from slipway.routing import websockets  # isort: skip

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Handler = Callable[[Scope, Receive, Send], Awaitable[None]]

# Slow transfers of files, and those who wait for more of a log, have threads of their own: calls never wait for them.
_calls = ThreadPoolExecutor(12, "call")
_transfers = ThreadPoolExecutor(24, "transfer")
_waits = ThreadPoolExecutor(64, "wait")
# Whole models, which somebody may take byte by byte.
_BUNDLES = ("/export", "/bundle")
_WITH_LOGS = ("/api/v1/project-runs/", "/api/v1/deployments/")


def _pool_for(path: str) -> Executor:
    if path.startswith(_WITH_LOGS) and path.rstrip("/").endswith("/log"):
        return _waits
    is_large = "artifact" in path or path.startswith("/api/v1/project-archives") or path.rstrip("/").endswith(_BUNDLES)
    return _transfers if is_large else _calls


# A transfer holds no connection of the database's pool while it waits for the network.
_http = Bridge(django, _pool_for, before_waiting=close_old_connections)
gateway = Gateway()
start("web")
_models: Handler = traced_gateway(gateway) if tracing.is_on() else gateway
_proxies = settings.TRUSTED_PROXIES


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application."""
    if _proxies and scope["type"] != "lifespan":
        name_caller(scope, _proxies)
    match scope["type"]:
        case "http":
            await handler_of(scope["path"])(scope, receive, send)
        case "websocket":
            await websockets(scope, receive, send)
        case "lifespan":
            await _live(receive, send)


def handler_of(path: str) -> Handler:
    """Who answers a path. What only becomes one of the gateway's by decoding is refused there."""
    return _models if path.startswith("/serve/") else _http


async def _live(receive: Receive, send: Send) -> None:
    """Start and stop: threads finish what they are doing, and take nothing new."""
    await receive()
    await gateway.start()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await gateway.stop()
    for pool in (_calls, _transfers, _waits):
        pool.shutdown(wait=False, cancel_futures=True)
    await send({"type": "lifespan.shutdown.complete"})
