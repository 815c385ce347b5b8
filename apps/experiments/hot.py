"""Hot statements: sent with their values apart from their text, so that PostgreSQL plans each of them once.

Django writes values into the text and has every statement planned anew, which costs the long ones of this app more
than their execution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, cast

from django.db import connection
from django.db.models import Model

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a statement may go that authorises as it goes: to experiments of these teams (None: of any), and with
    `experiment_id` to that one of them alone."""

    teams: Sequence[int] | None
    experiment_id: int | None = None


ANYWHERE = Reach(None)


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


def get_with_parents(model: type[M], column: str, value: object, *parents: str) -> M | None:
    """The row whose unique `column` has this value, with the row that its foreign key `parents[0]` names, and so on.

    One statement. It costs a quarter of what a queryset does, which would write the same text for each call.
    """
    return get_by(model, {column: value}, *parents)


def get_by(model: type[M], values: Mapping[str, object], *parents: str) -> M | None:
    """As `get_with_parents`, by several columns that are unique together."""
    if connection.vendor != "postgresql":
        return model._default_manager.select_related("__".join(parents)).filter(**values).first()
    columns = tuple(sorted(values))
    sql, models = _parents_statement(model, columns, parents)
    rows = rows_of(sql, [values[column] for column in columns])
    if not rows:
        return None
    found, start = [], 0
    for kind in models:
        names = [field.attname for field in kind._meta.concrete_fields]
        found.append(kind.from_db(connection.alias, names, rows[0][start : start + len(names)]))
        start += len(names)
    for child, name, parent in zip(found, parents, found[1:], strict=False):
        setattr(child, name, parent)
    return cast("M", found[0])


@cache
def _parents_statement(
    model: type[Model], columns: tuple[str, ...], parents: tuple[str, ...]
) -> tuple[str, list[type[Model]]]:
    # Django writes the conditions in the order of their names.
    wanted = dict.fromkeys(columns, 0)
    queryset = model._default_manager.select_related("__".join(parents)).filter(**wanted).order_by()
    models: list[type[Model]] = [model]
    for name in parents:
        models.append(models[-1]._meta.get_field(name).related_model)  # type: ignore[arg-type]
    return queryset.query.sql_with_params()[0], models


@cache
def _prepared() -> Any:
    # An installation on SQLite need not load the driver.
    from psycopg import Cursor

    class Prepared(Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **_: Any) -> Any:
            return super().execute(query, params, prepare=True)

    return Prepared
