"""What is asked of a database by hand: before there are models, or of a copy that Django knows nothing of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

_MIGRATIONS = "SELECT app, name FROM django_migrations ORDER BY id"
_HEAD = "SELECT sequence, digest FROM audit_seal ORDER BY sequence DESC LIMIT 1"
# What people would ask first of a backup.
_COUNTED = {
    "experiments": "SELECT count(*) FROM experiments_experiment",
    "runs": "SELECT count(*) FROM experiments_run",
    "model versions": "SELECT count(*) FROM registry_modelversion",
    "users": "SELECT count(*) FROM accounts_user",
    "audit events": "SELECT count(*) FROM audit_event",
}


class Cursor(Protocol):
    """What SQLite's and PostgreSQL's cursors have in common."""

    def execute(self, sql: str, /) -> Any: ...

    def fetchall(self) -> Sequence[Any]: ...


def migrations(cursor: Cursor) -> list[str]:
    """`app.name` of each that was applied."""
    cursor.execute(_MIGRATIONS)
    return [f"{app}.{name}" for app, name in cursor.fetchall()]


def audit_head(cursor: Cursor) -> str:
    """The newest head of the audit chain, or empty."""
    cursor.execute(_HEAD)
    return next((f"{sequence}:{digest}" for sequence, digest in cursor.fetchall()), "")


def counts(cursor: Cursor) -> dict[str, int]:
    """How many there are of what people would ask for first."""
    found = {}
    for name, sql in _COUNTED.items():
        cursor.execute(sql)
        found[name] = int(cursor.fetchall()[0][0])
    return found
