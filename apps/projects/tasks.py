from __future__ import annotations

from celery import shared_task

from apps.core.actor import Actor
from apps.core.tasks import as_system
from apps.projects import actions


@shared_task(name="projects.work")
@as_system
def work(actor: Actor, queue: str) -> int:
    """Run what waits in this worker's queues, where it has room; how many runs that were."""
    from apps.projects.execution.worker import this_worker

    return this_worker().work(actor, queue)


@shared_task(name="projects.sweep")
@as_system
def sweep(actor: Actor) -> int:
    """See to runs that no worker has any more; how many there were."""
    return actions.sweep_runs(actor)
