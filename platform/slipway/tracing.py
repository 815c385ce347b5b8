"""Starts OpenTelemetry where its standard variables name a collector; without them nothing of it is loaded.

Processes call `start` once: web servers and workers. `apps.core.tracing` makes the spans.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.backends.signals import connection_created

from apps.core import tracing

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

    from apps.deployments.gateway.app import Gateway

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Handler = Callable[[Scope, Receive, Send], Awaitable[None]]


def start(process: str) -> None:
    """Trace this process, unless nothing is to be traced. `process` is its name: `web` or `worker`."""
    if not settings.TRACES_URL or tracing.is_on():
        return
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.propagate import set_global_textmap
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    from slipway.exporting import Discreet

    provider = _provider(process)
    provider.add_span_processor(BatchSpanProcessor(Discreet(OTLPSpanExporter())))
    trace.set_tracer_provider(provider)
    # Of traces their ids alone go on, and no baggage, which callers fill.
    set_global_textmap(TraceContextTextMapPropagator())
    trace_with(provider)


def trace_with(provider: TracerProvider) -> None:
    """Make spans of calls, statements and tasks, and give them to `provider`."""
    from opentelemetry.instrumentation.celery import CeleryInstrumentor

    CeleryInstrumentor().instrument(tracer_provider=provider)  # type: ignore[no-untyped-call]
    connection_created.connect(_watch_statements, dispatch_uid="slipway.tracing")
    tracing.use(provider.get_tracer("slipway", settings.SLIPWAY_VERSION))


def _provider(process: str) -> TracerProvider:
    """`OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` go before what we say of ourselves."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    ours = {
        "service.name": f"slipway-{process}",
        "service.version": settings.SLIPWAY_VERSION,
        "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
    }
    if os.environ.get("OTEL_SERVICE_NAME") or "service.name=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", ""):
        del ours["service.name"]
    return TracerProvider(resource=Resource.create(ours))  # type: ignore[arg-type,unused-ignore]


def _watch_statements(connection: Any, **_: Any) -> None:
    if tracing.trace_statement not in connection.execute_wrappers:
        connection.execute_wrappers.append(tracing.trace_statement)


def traced_gateway(gateway: Gateway) -> Handler:
    """The gateway with a span around each call, which the model that answers can carry on.

    Quick calls are answered before there is a request to be traced: none are, from now on.
    """
    gateway.be_ordinary()

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        given = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        said = {"slipway.deployment": scope["path"].removeprefix("/serve/").partition("/")[0]}
        with tracing.of_call(scope["method"], given, said) as end:

            async def noting(message: Any) -> None:
                if message["type"] == "http.response.start":
                    end("/serve/{deployment}", message["status"])
                await send(message)

            others = [
                pair for pair in scope["headers"] if pair[0].decode("latin-1") not in (*tracing.HEADERS, "baggage")
            ]
            await gateway({**scope, "headers": [*others, *tracing.headers()]}, receive, noting)

    return answer
