"""Lets a test empty or alter the append-only tables. The product has no switch for this: the triggers go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.backends.base.operations import BaseDatabaseOperations

TABLES = ("audit_event", "audit_seal")


@contextmanager
def triggers_lifted() -> Iterator[None]:
    """Without the triggers of the audit tables inside the block."""
    lift = _lifted_on_postgresql if connection.vendor == "postgresql" else _lifted_on_sqlite
    with lift():
        yield


@contextmanager
def flush_allowed() -> Iterator[None]:
    """Inside the block Django's `flush`, with which tests that commit clean up, may empty the audit tables too.

    Rows that migrations make are made again: the next test expects them, in whatever order tests run.
    """
    original = BaseDatabaseOperations.execute_sql_flush

    def execute_sql_flush(self: BaseDatabaseOperations, sql_list: Any) -> None:
        with triggers_lifted():
            original(self, sql_list)
        import_module("apps.projects.migrations.0001_initial").make_default_queue(apps, None)

    BaseDatabaseOperations.execute_sql_flush = execute_sql_flush  # type: ignore[method-assign]
    try:
        yield
    finally:
        BaseDatabaseOperations.execute_sql_flush = original  # type: ignore[method-assign]


@contextmanager
def _lifted_on_postgresql() -> Iterator[None]:
    _run(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in TABLES)
    try:
        yield
    finally:
        _run(f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in TABLES)


@contextmanager
def _lifted_on_sqlite() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'audit!_%' ESCAPE '!'")
        triggers = cursor.fetchall()
    _run(f"DROP TRIGGER {name}" for name, _ in triggers)
    try:
        yield
    finally:
        _run(sql for _, sql in triggers)


def _run(statements: Iterator[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
