"""Hot statements: sent with their values apart from their text, so that PostgreSQL plans each of them once.

Django writes values into the text and has every statement planned anew, which costs the long ones of this app more
than their execution.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

Values = Mapping[str, Any] | list[Any]


def rows_of(sql: str, values: Values) -> list[tuple[Any, ...]]:
    """The rows of a statement. Called with PostgreSQL only."""
    with _cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


@contextmanager
def _cursor() -> Iterator[CursorWrapper]:
    from psycopg import Connection, Cursor

    class Prepared(Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **_: Any) -> Any:
            return super().execute(query, params, prepare=True)

    connection.ensure_connection()
    raw: Connection[Any] = connection.connection
    # Django sets None, which forbids it also to those who ask; its own cursors never ask.
    raw.prepare_threshold = 0
    with Prepared(raw) as cursor:
        wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
        yield wrap(cursor)
