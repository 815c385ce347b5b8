"""What leaves with spans, also with those of libraries: no words of errors, and nothing that looks like a secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Status

from apps.core.scrubbing import scrubbed

# They hold what an error says, and with it values.
_DROPPED = {"exception.message", "exception.stacktrace", "celery.retry.reason", "celery.revoked.reason"}


class Discreet(SpanExporter):
    """Gives to `inner` what may be told."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._inner.export([_told(span) for span in spans])

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)


def _told(span: ReadableSpan) -> ReadableSpan:
    events = [Event(event.name, _kept(event.attributes), event.timestamp) for event in span.events]
    kinds = [str(event.attributes.get("exception.type")) for event in events if event.attributes]
    # Libraries put the words of an error there; ours have its class.
    is_ours = span.instrumentation_scope is not None and span.instrumentation_scope.name == "slipway"
    said = span.status.description if is_ours else next(iter(kinds), None)
    if span.status.is_ok or span.status.is_unset:
        said = None
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_kept(span.attributes),
        events=events,
        links=span.links,
        kind=span.kind,
        instrumentation_scope=span.instrumentation_scope,
        status=Status(span.status.status_code, said),
        start_time=span.start_time,
        end_time=span.end_time,
    )


def _kept(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    kept = {name: value for name, value in (attributes or {}).items() if name not in _DROPPED}
    return {name: scrubbed(value) if isinstance(value, str) else value for name, value in kept.items()}
