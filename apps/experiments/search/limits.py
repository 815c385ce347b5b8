"""A search of somebody's own making must not hold a connection for long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction

from apps.core.errors import InvalidInput
from apps.experiments.search.nodes import Node, Op, comparisons

SECONDS = 8
_CANCELED = "57014"
_CHEAP = 5


@contextmanager
def bounded(node: Node | None) -> Iterator[None]:
    """Stop the statements inside after `SECONDS`, if the filter is one that could take that long.

    Raises `InvalidInput` then. Simple filters go by index and are spared the extra statements.
    """
    if node is None or not _may_be_slow(node):
        yield
        return
    try:
        with transaction.atomic():
            _set_limit()
            yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") == _CANCELED or "interrupted" in str(error):
            raise InvalidInput(f"The search took longer than {SECONDS} seconds; make its filter simpler.") from error
        raise
    finally:
        _lift_limit()


def _may_be_slow(node: Node) -> bool:
    found = comparisons(node)
    return len(found) > _CHEAP or any(one.op in (Op.LIKE, Op.ILIKE) for one in found)


def _set_limit() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {int(SECONDS * 1000)}")
        return
    connection.ensure_connection()
    deadline = time.monotonic() + SECONDS
    connection.connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)


def _lift_limit() -> None:
    if connection.vendor == "sqlite" and connection.connection is not None:
        connection.connection.set_progress_handler(None, 0)
