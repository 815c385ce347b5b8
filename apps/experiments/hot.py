"""Hot statements: sent with their values apart from their text, so that PostgreSQL plans each of them once.

Django writes values into the text and has every statement planned anew, which costs the long ones of this app more
than their execution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from django.db import connection


def rows_of(sql: str, values: Mapping[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows of a statement. Called with PostgreSQL only."""
    connection.ensure_connection()
    raw = connection.connection
    # Django sets None, which forbids preparing also to those who ask; its own cursors never ask.
    raw.prepare_threshold = 0
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with _prepared()(raw) as cursor:
        wrapped = wrap(cursor)
        wrapped.execute(sql, values)
        rows: list[tuple[Any, ...]] = wrapped.fetchall()
    return rows


@cache
def _prepared() -> Any:
    # An installation on SQLite need not load the driver.
    from psycopg import Cursor

    class Prepared(Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **_: Any) -> Any:
            return super().execute(query, params, prepare=True)

    return Prepared
