from __future__ import annotations

from django.db import transaction

from apps.audit.actions import Subject, record
from apps.core.actor import Actor
from apps.projects import events
from apps.projects.models import Worker
from apps.projects.waking import wake


def drain_worker(actor: Actor, *, worker: Worker) -> Worker:
    """Let a worker finish what it has and take nothing new."""
    return _set(actor, worker, True)


def resume_worker(actor: Actor, *, worker: Worker) -> Worker:
    """Let a drained worker take runs again."""
    _set(actor, worker, False)
    for queue in worker.queues:
        transaction.on_commit(lambda name=queue: wake(name))  # type: ignore[misc]
    return worker


def _set(actor: Actor, worker: Worker, is_draining: bool) -> Worker:
    """Twice is once."""
    with transaction.atomic():
        changed = Worker.objects.filter(pk=worker.pk, is_draining=not is_draining).update(is_draining=is_draining)
        worker.is_draining = is_draining
        if changed:
            code = events.WORKER_DRAINED if is_draining else events.WORKER_RESUMED
            record(actor, code, Subject("worker", str(worker.pk), worker.name))
    return worker
