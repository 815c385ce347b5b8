"""What `slipway migrate` would do to the database that is here, and whether it may."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import connection, models
from django.db.migrations import AddField, AddIndex, CreateModel, Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.base import Operation
from django.db.models.fields import NOT_PROVIDED

# Any number, the same in all releases: one migrates at a time.
_LOCK = 0x51C9
_WAITING_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Upgrade:
    """`pending` and `unknown` are `app.name`; `unknown` were applied by a release that this code does not know.

    `rolls`: processes of the release before go on working while and after it is done. `needed` and `free` in bytes, of
    the disk that an embedded database lies on.
    """

    pending: tuple[str, ...]
    unknown: tuple[str, ...]
    is_first: bool
    rolls: bool
    needed: int = 0
    free: int = 0

    def refusal(self) -> str:
        """Why it can't be done, in a sentence; empty where it can."""
        if self.unknown:
            return (
                f"the database is of a newer release than this {settings.SLIPWAY_VERSION} (it knows "
                f"{self.unknown[0]}): install that release, or restore a backup of this one."
            )
        if self.free < self.needed:
            return (
                f"{_mib(self.needed)} are needed beside the database while it is changed, and {_mib(self.free)} are "
                "free: make room first."
            )
        return ""


def look() -> Upgrade:
    """Look, and change nothing."""
    executor = MigrationExecutor(connection)
    applied, known = executor.loader.applied_migrations, executor.loader.disk_migrations
    plan = [migration for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    ours = {config.label for config in apps.get_app_configs() if config.name.startswith("apps.")}
    unknown = sorted(f"{app}.{name}" for app, name in applied if app in ours and (app, name) not in known)
    needed, free = _room() if plan and applied else (0, 0)
    return Upgrade(
        pending=tuple(f"{migration.app_label}.{migration.name}" for migration in plan),
        unknown=tuple(unknown),
        is_first=not applied,
        rolls=all(is_additive(migration) for migration in plan),
        needed=needed,
        free=free,
    )


def is_additive(migration: Migration) -> bool:
    """Whether code that knows nothing of it works on the changed database: it only adds what may be left out."""
    return all(_adds(operation) for operation in migration.operations)


def _adds(operation: Operation) -> bool:
    if isinstance(operation, AddField):
        # Django takes a default away from the column again, so the statements of older code would miss a value.
        field: models.Field[object, object] = operation.field
        return field.null or field.db_default is not NOT_PROVIDED or field.many_to_many is True
    return isinstance(operation, CreateModel | AddIndex)


def _room() -> tuple[int, int]:
    """SQLite makes a changed table anew, at worst all of them at once; PostgreSQL's disk can't be seen from here."""
    if connection.vendor != "sqlite":
        return 0, 0
    file = Path(str(connection.settings_dict["NAME"]))
    return file.stat().st_size, shutil.disk_usage(file.parent).free


@contextmanager
def alone() -> Iterator[None]:
    """Wait until nobody else migrates this database; whoever is killed waits for nothing any more."""
    if connection.vendor == "sqlite":
        folder = Path(str(connection.settings_dict["NAME"])).parent
        with (folder / ".migrating").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        return
    # On this very connection, so that the lock goes where what migrates goes.
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{_WAITING_SECONDS}s"])
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        cursor.execute("SELECT set_config('lock_timeout', '0', false)")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _mib(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB"
