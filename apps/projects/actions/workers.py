from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apps.core.actor import Actor
from apps.projects.actions.common import now_ms
from apps.projects.models import Worker

# Who said nothing for so long is not there, and after a day nobody asks who it was.
SILENT_MS = 60_000
FORGOTTEN_MS = 24 * 3_600_000


def register_worker(
    actor: Actor,
    *,
    name: str,
    host: str,
    pid: int,
    queues: Sequence[str],
    concurrency: int,
    abilities: Mapping[str, Any],
    version: str,
) -> Worker:
    """Say that a worker has started. Its name is its own: another start has another."""
    now = now_ms()
    return Worker.objects.create(
        name=name,
        host=host,
        pid=pid,
        queues=list(queues),
        concurrency=concurrency,
        abilities=dict(abilities),
        version=version,
        started_ms=now,
        seen_ms=now,
    )


def stop_worker(actor: Actor, *, worker: Worker) -> None:
    """Say that a worker has ended of itself."""
    Worker.objects.filter(pk=worker.pk).update(stopped_ms=now_ms())


def forget_workers(actor: Actor) -> None:
    """Take those for stopped that are silent, and delete those that stopped a day ago."""
    now = now_ms()
    Worker.objects.filter(stopped_ms__isnull=True, seen_ms__lt=now - SILENT_MS).update(stopped_ms=now)
    old = Worker.objects.filter(stopped_ms__lt=now - FORGOTTEN_MS)
    if old.exists():
        old.delete()
