"""How log records are written: as lines of text or of JSON, each with what it belongs to, and none with a secret.

What belongs to a record is known by the context that was entered at the edge (`apps.core.context`).
"""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest
from pythonjsonlogger.orjson import OrjsonFormatter

from apps.core import tracing
from apps.core.actor import Actor
from apps.core.context import known_context
from apps.core.monitoring import kind_of, route_of

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
_SECRETS = (
    # Our tokens: what is left says whose it is.
    (re.compile(r"\b(slw_[0-9A-Za-z]{12}_)[0-9A-Za-z]{8,}"), r"\1…"),
    (re.compile(r"(?i)\b(bearer|basic)( +)[A-Za-z0-9._~+/=-]{8,}"), r"\1\2…"),
    # Passwords of addresses: of databases, brokers, mail and repositories.
    (re.compile(r"(://[^/\s:@]*:)[^/\s@]+@"), r"\1…@"),
    # Parts of query strings and the like: `X-Amz-Signature=`, `access_token=`, `password=`.
    (
        re.compile(
            r"(?i)([\w.-]*(?:password|passwd|secret|token|signature|credential|api_?key|access_?key)[\w.-]*=)[^&\s'\"]+"
        ),
        r"\1…",
    ),
)


def scrubbed(text: str) -> str:
    """The text without what looks like a secret."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


class Belonging(logging.Filter):
    """Puts onto each record what it belongs to: the request or task, the run of a project, the trace."""

    def filter(self, record: logging.LogRecord) -> bool:
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
        return scrubbed(super().format(record))


class JsonFormatter(OrjsonFormatter):
    """For collectors: one object on a line."""

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Those that we know, and no others."""
        log_data["time"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        log_data["level"], log_data["logger"] = record.levelname, record.name
        log_data["message"] = scrubbed(record.getMessage())
        for name in FIELDS:
            if name in record.__dict__:
                log_data[name] = record.__dict__[name]
        for name in ("exc_info", "stack_info"):
            if said := message_dict.get(name):
                log_data["exception" if name == "exc_info" else "stack"] = scrubbed(str(said))


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
