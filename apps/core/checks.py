"""Whether the parts answer. Checks run side by side, each on a thread, so that none keeps the answer waiting."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path

from django.core.cache import cache
from django.core.files.storage import FileSystemStorage, storages
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from apps.core.tasks import HEARTBEAT_KEY

logger = logging.getLogger(__name__)

Check = Callable[[], bool]

_TIMEOUT_SECONDS = 2.0
_HEARTBEAT_SECONDS = 60
_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="health")


def check_database() -> bool:
    """A statement comes back."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone() == (1,))


def check_broker() -> bool:
    """The cache, which lives in the broker, keeps a value."""
    cache.set("core.health", 1, timeout=60)
    return bool(cache.get("core.health") == 1)


def check_artifacts() -> bool:
    """The store takes a file (on disk), or answers for one with our credentials (S3)."""
    store = storages["artifacts"]
    if not isinstance(store, FileSystemStorage):
        store.exists("slipway-health")
        return True
    Path(store.location).mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=store.location) as file:
        file.write(b"\0" * 4096)
        file.flush()
    return True


def check_migrations() -> bool:
    """The schema is the one this code was written for."""
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def check_worker() -> bool:
    """Scheduled work was done within the last minute."""
    seen = cache.get(HEARTBEAT_KEY)
    return seen is not None and time.time() - float(seen) < _HEARTBEAT_SECONDS


# Without these, calls fail; `/health` looks at them alone.
NEEDED: dict[str, Check] = {"database": check_database, "broker": check_broker, "artifacts": check_artifacts}
READY: dict[str, Check] = {**NEEDED, "migrations": check_migrations}
ALL: dict[str, Check] = {**READY, "worker": check_worker}


def run_checks(checks: dict[str, Check]) -> dict[str, bool]:
    """Which parts are well, in about two seconds at most. The reasons go to the log, never to the caller."""
    running = {name: _threads.submit(_checked, name, check) for name, check in checks.items()}
    until = time.monotonic() + _TIMEOUT_SECONDS
    return {name: _result(name, future, until) for name, future in running.items()}


def _checked(name: str, check: Check) -> bool:
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - whatever it is, the part is not well
        logger.warning("health: %s: %s: %s", name, type(error).__name__, error)
        return False
    finally:
        connections.close_all()


def _result(name: str, future: Future[bool], until: float) -> bool:
    try:
        return future.result(timeout=max(0.0, until - time.monotonic()))
    except FutureTimeoutError:
        future.cancel()
        logger.warning("health: %s: no answer in %s s", name, _TIMEOUT_SECONDS)
        return False
