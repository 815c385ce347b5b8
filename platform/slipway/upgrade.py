"""What `slipway migrate` would do to the database that is here, and whether it may."""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeGuard

from django.apps import apps
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import Error as AnyDatabaseError
from django.db import OperationalError, connection, models
from django.db.migrations import AddField, AddIndex, CreateModel, Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.base import Operation
from django.db.models.fields import NOT_PROVIDED

from slipway.env import WrongSetting

# Any number, the same in all releases: one migrates at a time.
_LOCK = 0x51C9
_WAITING_SECONDS = 600
_LOOK_SECONDS = 0.2


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
    made = {_key(migration.app_label, operation.name) for operation in migration.operations if _makes(operation)}
    return all(_adds(migration.app_label, operation, made) for operation in migration.operations)


def _adds(app: str, operation: Operation, made: set[str]) -> bool:
    match operation:
        case CreateModel():
            return not any(_holds(app, field, made) for _, field in operation.fields)
        case AddField():
            # Django takes a default away from the column again, so the statements of older code would miss a value.
            field: models.Field[object, object] = operation.field
            return (field.null or field.db_default is not NOT_PROVIDED) and not _holds(app, field, made)
        case AddIndexConcurrently():
            return True
        case AddIndex():
            # Nobody can write into a table while PostgreSQL makes an index of it.
            return _key(app, operation.model_name) in made
    return False


def _makes(operation: Operation) -> TypeGuard[CreateModel]:
    return isinstance(operation, CreateModel)


def _holds(app: str, field: models.Field[object, object], made: set[str]) -> bool:
    """Whether a row of a table that was there before can't be deleted by who doesn't know what points at it."""
    if field.many_to_many:
        return True
    if not isinstance(field, models.ForeignKey) or not getattr(field, "db_constraint", True):
        return False
    target = field.remote_field.model
    return _key(app, target if isinstance(target, str) else target._meta.label) not in made


def _key(app: str, name: str) -> str:
    return (name if "." in name else f"{app}.{name}").lower()


def _room() -> tuple[int, int]:
    """SQLite makes a changed table anew, at worst all of them, in its log and then in the file.

    PostgreSQL's disk can't be seen from here.
    """
    if connection.vendor != "sqlite":
        return 0, 0
    file = _file()
    return 2 * file.stat().st_size, shutil.disk_usage(file.parent).free


def _file() -> Path:
    return Path(str(connection.settings_dict["NAME"]))


@contextmanager
def alone() -> Iterator[None]:
    """Wait until nobody else migrates this database; whoever is killed waits for nothing any more.

    Raises `WrongSetting` where the other takes too long, or there is nowhere for the database.
    """
    with _alone_with_a_file() if connection.vendor == "sqlite" else _alone_in_the_database():
        yield


@contextmanager
def _alone_with_a_file() -> Iterator[None]:
    place = _file().parent / ".migrating"
    try:
        lock = place.open("w")
    except OSError as error:
        raise WrongSetting(f"DATABASE_URL: {place.parent} can't be written to ({error.strerror}).") from error
    with lock:
        end = time.monotonic() + _WAITING_SECONDS
        while not _is_locked(lock):
            if time.monotonic() > end:
                raise WrongSetting("DATABASE_URL: another migration of it goes on and does not end.")
            time.sleep(_LOOK_SECONDS)
        yield


def _is_locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _alone_in_the_database() -> Iterator[None]:
    """On this very connection, so that the lock goes where what migrates goes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{_WAITING_SECONDS}s"])
        try:
            cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        except OperationalError as error:
            raise WrongSetting("DATABASE_URL: another migration of it goes on and does not end.") from error
        cursor.execute("SELECT set_config('lock_timeout', '0', false)")
    try:
        yield
    finally:
        # One that was lost has no lock any more, and why it was is what has to be said.
        with suppress(AnyDatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _mib(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB"
