"""What Prometheus reads of the server itself: its parts, its disk, its release."""

from __future__ import annotations

import platform
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from prometheus_client.core import GaugeMetricFamily, Metric
from redis import Redis

from apps.core import certificates, checks
from apps.core.monitoring import declare_families, declare_gauge, gauge_of
from apps.core.tasks import HEARTBEAT_KEY


def _build() -> Iterator[Metric]:
    said = (settings.SLIPWAY_VERSION, settings.MLFLOW_PROTOCOL_VERSION, platform.python_version())
    help = "Always 1; its labels name the release."
    yield gauge_of("slipway_build_info", help, [(said, 1)], "version", "mlflow_protocol", "python")


def _parts() -> Iterator[Metric]:
    # The database in this thread: who asks has a connection to it, or was not let in.
    found = {"database": checks.check_database()}
    found |= checks.run_checks({name: check for name, check in checks.NEEDED.items() if name != "database"})
    numbers = [((name,), float(well)) for name, well in found.items()]
    yield gauge_of("slipway_part_up", "Whether a part answers (1) or not (0).", numbers, "part")


def _disks() -> Iterator[Metric]:
    folders = {"data": settings.DATA.root}
    if not settings.ARTIFACT_BUCKET:
        folders["artifacts"] = settings.DATA.artifacts
    found = {place: shutil.disk_usage(folder) for place, folder in folders.items() if Path(folder).exists()}
    free = [((place,), float(usage.free)) for place, usage in found.items()]
    size = [((place,), float(usage.total)) for place, usage in found.items()]
    yield gauge_of("slipway_disk_free_bytes", "What is free on the disk of a folder of ours.", free, "folder")
    yield gauge_of("slipway_disk_size_bytes", "The size of that disk.", size, "folder")


def _database_bytes() -> float:
    """One statement. SQLite's log beside the file is not counted."""
    question = "SELECT pg_database_size(current_database())"
    if connection.vendor == "sqlite":
        question = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    with connection.cursor() as cursor:
        cursor.execute(question)
        return float(cursor.fetchone()[0])


def _queue_length() -> float | None:
    client = Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
    try:
        length: int = client.llen("celery")
        return length
    finally:
        client.close()


def _heartbeat_age() -> float | None:
    seen = cache.get(HEARTBEAT_KEY)
    return None if seen is None else time.time() - float(seen)


def _certificate() -> Iterator[Metric]:
    if (times := certificates.known()) is not None:
        help = "When the certificate of the public address {}, as a worker saw it within the last hours."
        for word, said, when in zip(("begin", "end"), ("begins", "ends"), times, strict=True):
            name = f"slipway_certificate_{word}_timestamp_seconds"
            yield GaugeMetricFamily(name, help.format(said), value=when)


declare_families(_build)
declare_families(_certificate)
declare_families(_parts)
declare_families(_disks)
declare_gauge("slipway_database_bytes", "The size of the database.", _database_bytes)
declare_gauge("slipway_queue_length", "Tasks of the server that wait for a worker.", _queue_length)
declare_gauge("slipway_worker_heartbeat_age_seconds", "Since scheduled work was last done.", _heartbeat_age)
