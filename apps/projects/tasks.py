from __future__ import annotations

import logging

from celery import shared_task
from django.core.cache import cache
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from apps.core.actor import Actor
from apps.core.tasks import as_system, do_alone
from apps.projects import actions
from apps.projects.execution import hooks
from apps.projects.execution.receipts import redeem_receipts
from apps.projects.models import Project
from apps.projects.waking import heard

hooks.connect()
logger = logging.getLogger(__name__)

_SWEEPING = "projects.sweeping"
# Who was killed at it is waited for so long: with lease and interval less than a minute.
_SWEEP_SECONDS = 15
# Longer than a reading may take: who finds this set leaves the project to somebody else.
_READING = "projects.reading.{}"
_READING_SECONDS = 900


@shared_task(name="projects.work")
@as_system
def work(actor: Actor, queue: str) -> None:
    """Let this worker look into its queues; the runs themselves are its own threads' work."""
    from apps.projects.execution.worker import this_worker

    heard(queue)
    this_worker().look()


@shared_task(name="projects.sweep")
@as_system
def sweep(actor: Actor) -> int:
    """See to runs that no worker has any more; how many there were."""
    # What this host's dead workers had finished is not to be done again.
    return do_alone(lambda: redeem_receipts(actor) + actions.sweep_runs(actor), _SWEEPING, seconds=_SWEEP_SECONDS)


@shared_task(name="projects.fire_schedule")
@as_system
def fire_schedule(actor: Actor, schedule_id: int) -> bool:
    """Look whether a schedule is due, and start its run; whether one was started."""
    return actions.fire_schedule(actor, schedule_id=schedule_id) is not None


@shared_task(name="projects.sweep_schedules")
@as_system
def sweep_schedules(actor: Actor) -> int:
    """Start the runs of schedules that no message told; how many schedules were due."""
    return actions.sweep_schedules(actor)


@shared_task(name="projects.read")
@as_system
def read(actor: Actor, project_id: int) -> bool:
    """Fetch a project's source and read its MLproject; whether there was something to read."""
    project = Project.objects.select_related("team", "archive").filter(pk=project_id, read_ms__isnull=True).first()
    key = _READING.format(project_id)
    if project is None or not cache.add(key, 1, timeout=_READING_SECONDS):
        return False
    try:
        actions.read_project(actor, project=project)
    finally:
        cache.delete(key)
    return True


@shared_task(name="projects.read_waiting")
@as_system
def read_waiting(actor: Actor) -> int:
    """Hurry the readings that no message carries; how many there were."""
    waiting = list(Project.objects.filter(read_ms__isnull=True).values_list("pk", flat=True)[:100])
    for project_id in waiting:
        hurry_reading(project_id)
    return len(waiting)


@shared_task(name="projects.prune_archives")
@as_system
def prune_archives(actor: Actor) -> int:
    """Delete the uploaded projects that nobody needs any more; how many."""
    return actions.prune_archives(actor)


def hurry_reading(project_id: int) -> None:
    """Let a worker read a project soon; where the broker is away, after the next sweep."""
    try:
        read.apply_async(args=(project_id,), retry=False, expires=_READING_SECONDS)
    except (RedisError, OperationalError, OSError) as error:
        logger.warning("project %s is read after the next sweep: %s", project_id, error)
