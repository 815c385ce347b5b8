"""The audit log as files: one JSON object a line, or CSV that a spreadsheet doesn't run."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson
from django.http import StreamingHttpResponse

from apps.audit.models import Event
from apps.audit.querysets import EventQuerySet
from apps.audit.selectors import in_batches
from apps.audit.sentences import plain_sentence
from apps.core.errors import InvalidInput
from apps.core.spreadsheets import as_cell

COLUMNS = (
    "id",
    "created_at",
    "code",
    "actor_name",
    "via",
    "token_id",
    "request_id",
    "ip",
    "team_name",
    "object_kind",
    "object_id",
    "object_name",
    "before",
    "after",
    "note",
    "sequence",
)


def export(events: EventQuerySet, form: str) -> StreamingHttpResponse:
    """`events`, each with its `sequence`, as an attachment, streamed.

    `form` is `jsonl` or `csv`; raises `InvalidInput` for another.
    """
    if form not in _FORMS:
        raise InvalidInput("format: jsonl or csv is wanted.")
    content_type, lines = _FORMS[form]
    response = StreamingHttpResponse(lines(in_batches(events)), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="audit.{form}"'
    return response


def as_row(event: Event) -> dict[str, Any]:
    """The event as JSON values; `sequence` is its place in the chain, None while it has none."""
    row = {name: getattr(event, name) for name in COLUMNS}
    return {**row, "sentence": plain_sentence(event)}


def _jsonl(events: Iterable[Event]) -> Iterator[bytes]:
    for event in events:
        yield orjson.dumps(as_row(event), option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z)


class _Echo:
    def write(self, line: str) -> bytes:
        """`csv.writer` returns what this returns."""
        return line.encode()


def _csv(events: Iterable[Event]) -> Iterator[bytes]:
    writer: Any = csv.writer(_Echo())
    yield writer.writerow((*COLUMNS, "sentence"))
    for event in events:
        yield writer.writerow([_cell(value) for value in as_row(event).values()])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        return orjson.dumps(value).decode()
    return as_cell(value.isoformat() if hasattr(value, "isoformat") else str(value))


_Lines = Callable[[Iterable[Event]], Iterator[bytes]]
_FORMS: dict[str, tuple[str, _Lines]] = {
    "jsonl": ("application/x-ndjson", _jsonl),
    "csv": ("text/csv; charset=utf-8", _csv),
}
