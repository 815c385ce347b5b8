"""How log records are written: as lines of text or of JSON, each with what it belongs to, and none with a secret.

What belongs to a record is known by the context that was entered at the edge (`apps.core.context`).
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest
from pythonjsonlogger.orjson import OrjsonFormatter

from apps.core import tracing
from apps.core.actor import Actor
from apps.core.context import known_context
from apps.core.monitoring import kind_of, route_of
from apps.core.scrubbing import scrubbed

access = logging.getLogger("slipway.access")

# What a line may tell besides time, level, logger and message. Other libraries hang whole requests onto their records.
FIELDS = (
    "request_id",
    "task",
    "project_run",
    "method",
    "route",
    "kind",
    "status",
    "duration_ms",
    "actor",
    "via",
    "team",
    "ip",
    "trace_id",
    "span_id",
)


class Belonging(logging.Filter):
    """Puts onto each record what it belongs to: the request or task, the run of a project, the trace.

    Django's own records of calls name addresses: they get the route in its place.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        if isinstance(request, HttpRequest) and isinstance(record.args, tuple):
            addresses = (request.path, request.path_info)
            record.args = tuple(route_of(request) if said in addresses else said for said in record.args)
        context = known_context()
        if context is not None:
            record.request_id = context.request_id
            if context.task:
                record.task = context.task
            if context.project_run is not None:
                record.project_run = context.project_run
        for name, value in tracing.ids().items():
            setattr(record, name, value)
        return True


class TextFormatter(logging.Formatter):
    """For people."""

    def format(self, record: logging.LogRecord) -> str:
        try:
            return scrubbed(super().format(record))
        except Exception as error:  # noqa: BLE001 - logging would write the record as it is instead, secrets and all
            return f"{record.levelname} {record.name} {_unwritable(record, error)}"


class JsonFormatter(OrjsonFormatter):
    """For collectors: one object on a line."""

    def format(self, record: logging.LogRecord) -> str:
        try:
            return super().format(record)
        except Exception as error:  # noqa: BLE001 - as above
            said = {"time": _time_of(record), "level": record.levelname, "logger": record.name}
            return json.dumps(said | {"message": _unwritable(record, error)})

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Those that we know, and no others."""
        log_data["time"] = _time_of(record)
        log_data["level"], log_data["logger"] = record.levelname, record.name
        log_data["message"] = scrubbed(record.getMessage())
        for name in FIELDS:
            if name in record.__dict__:
                value = record.__dict__[name]
                log_data[name] = scrubbed(value) if isinstance(value, str) else value
        for name in ("exc_info", "stack_info"):
            if said := message_dict.get(name):
                log_data["exception" if name == "exc_info" else "stack"] = scrubbed(str(said))


def _time_of(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _unwritable(record: logging.LogRecord, error: Exception) -> str:
    """Where it was, and nothing of what it holds."""
    return f"a record of {record.module}:{record.lineno} could not be written: {type(error).__name__}"


def note_access(request: HttpRequest, status: int, seconds: float) -> None:
    """Write the record of an answered call: by its route's name, never its address, which may have secrets in it."""
    actor: Actor | None = getattr(request, "actor", None)
    method, route, milliseconds = request.method, route_of(request), round(seconds * 1000, 3)
    context = known_context()
    fields = {
        "method": method,
        "route": route,
        "kind": kind_of(request.path_info),
        "status": status,
        "duration_ms": milliseconds,
        "actor": actor.username if actor else None,
        "via": actor.via.value if actor else None,
        "team": actor.team_id if actor else None,
        "ip": context.ip if context else None,
    }
    who = actor.username if actor else "-"
    said = context.request_id if context else "-"
    access.info("%s %s %s %s ms %s %s", method, route, status, milliseconds, who, said, extra=fields)
