"""Spans for OpenTelemetry. Off, nothing of it is imported, and each function returns at once.

`slipway.tracing` starts it; what is traced asks here. SQL goes without its values, calls go by the names of routes, and
errors by their class: their words have values in them, as the database's of a key that is there already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

_tracer: Tracer | None = None
_SQL_LENGTH = 2000
# By which a trace goes on from one process to another (W3C).
HEADERS = ("traceparent", "tracestate")


def use(tracer: Tracer | None) -> None:
    """Trace from now on; None: not any more."""
    global _tracer
    _tracer = tracer


def is_on() -> bool:
    """Whether spans are made."""
    return _tracer is not None


def ids() -> Mapping[str, str]:
    """`trace_id` and `span_id` of what goes on now, in hex; nothing outside of a trace."""
    if _tracer is None:
        return {}
    from opentelemetry import trace

    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {"trace_id": trace.format_trace_id(context.trace_id), "span_id": trace.format_span_id(context.span_id)}


@contextmanager
def of_call(method: str, headers: Mapping[str, str], said: Mapping[str, str]) -> Iterator[Callable[[str, int], None]]:
    """The span of a call, as part of the trace that its headers name; tell what is given its route and status.

    `said` are attributes besides.
    """
    if _tracer is None:
        yield lambda route, status: None
        return
    from opentelemetry.trace import SpanKind, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    given = {"http.request.method": method, **said}
    parent = TraceContextTextMapPropagator().extract(headers)
    with _span(_tracer, method, context=parent, kind=SpanKind.SERVER, attributes=given) as span:

        def end(route: str, status: int) -> None:
            span.update_name(f"{method} {route}")
            span.set_attributes({"http.route": route, "http.response.status_code": status})
            if status >= 500:
                span.set_status(StatusCode.ERROR)

        yield end


@contextmanager
def _span(tracer: Tracer, name: str, **more: Any) -> Iterator[Span]:
    """A span that keeps of an error its class alone."""
    from opentelemetry.trace import StatusCode

    more |= {"record_exception": False, "set_status_on_exception": False}
    with tracer.start_as_current_span(name, **more) as span:
        try:
            yield span
        except BaseException as error:
            span.set_status(StatusCode.ERROR, type(error).__name__)
            raise


def carrier_of(request: HttpRequest) -> dict[str, str]:
    """The headers of a request by which a trace goes on."""
    return {name: request.headers[name] for name in HEADERS if name in request.headers}


def headers() -> list[tuple[bytes, bytes]]:
    """The headers that hand the trace of what goes on now to somebody else."""
    if _tracer is None:
        return []
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return [(name.encode(), value.encode()) for name, value in carrier.items()]


def trace_statement(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Around each statement that Django sends, inside of a trace: what polls in the background makes none."""
    from opentelemetry import trace
    from opentelemetry.trace import SpanKind

    if _tracer is None or not trace.get_current_span().is_recording():
        return execute(sql, params, many, context)
    verb = sql.split(None, 1)[0].upper() if sql.strip() else "SQL"
    vendor = context["connection"].vendor
    said = {"db.system.name": vendor, "db.operation.name": verb, "db.query.text": sql[:_SQL_LENGTH]}
    with _span(_tracer, verb, kind=SpanKind.CLIENT, attributes=said):
        return execute(sql, params, many, context)
