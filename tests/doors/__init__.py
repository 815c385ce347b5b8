"""Who gets through which door: tables of every route and page, and what each persona is answered.

Add a line for each new route; `tests/test_doors.py` fails for one that is missing. A line is a `Door`: the statuses of
Cleo (another team), Vera (viewer), Ben (member), Max (maintainer) and Root (administrator), and a sample to send.
The object is always Ada's, in the team forge; anonymous callers are always 401, or sent to the sign-in page.
In samples `{experiment}`, `{run}`, `{model}`, `{token}`, `{event}`, `{grant}`, `{request}` and `{policy}`
stand for ids.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Statuses = tuple[int, int, int, int, int]

EVERYBODY: Statuses = (200, 200, 200, 200, 200)
READERS: Statuses = (404, 200, 200, 200, 200)
EDITORS: Statuses = (404, 403, 200, 200, 200)
MANAGERS: Statuses = (404, 403, 403, 200, 200)
CREATORS: Statuses = (200, 403, 200, 200, 200)
ADMINS: Statuses = (403, 403, 403, 403, 200)


@dataclass(frozen=True)
class Door:
    """`statuses` of Cleo, Vera, Ben, Max and Root; `send` is the body, or the query of a GET; `at` fills the path."""

    statuses: Statuses
    send: dict[str, Any] = field(default_factory=dict)
    at: dict[str, str] = field(default_factory=dict)


def as_if(statuses: Statuses, ok: int) -> Statuses:
    """The same doors with another status for those who get through."""
    cleo, vera, ben, max_, root = (ok if status == 200 else status for status in statuses)
    return cleo, vera, ben, max_, root


def filled(value: Any, ids: dict[str, str]) -> Any:
    """`value` with its places filled in."""
    if isinstance(value, dict):
        return {key: filled(item, ids) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, ids) for item in value]
    return value.format(**ids) if isinstance(value, str) else value
