"""Why a queued run waits, in sentences: what stands before it, and what holds it back."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core.formatting import duration
from apps.projects.actions.common import now_ms
from apps.projects.models import ProjectRun, Queue, Quota, RunState, Worker
from apps.projects.selectors.workers import alive_workers


def reasons_of(run: ProjectRun) -> list[str]:
    """What holds a queued run back now, most telling first; nothing where a worker is about to take it.

    Seven statements at most.
    """
    if run.state != RunState.QUEUED:
        return []
    return [*_of_time(run), *_of_queue(run), *_of_workers(run), *_of_team(run), *_of_project(run), *_of_order(run)]


def _of_time(run: ProjectRun) -> Iterator[str]:
    left = run.not_before_ms - now_ms()
    if left > 0:
        yield _("It is tried again in %(time)s.") % {"time": duration(left)}


def _of_queue(run: ProjectRun) -> Iterator[str]:
    queue = Queue.objects.filter(name=run.queue).first()
    if queue is None:
        yield _("The queue %(queue)s is gone: cancel the run and start it in another.") % {"queue": run.queue}
        return
    if queue.is_paused:
        yield _("The queue %(queue)s is paused.") % {"queue": run.queue}
    if queue.max_running is not None and _held(queue=run.queue) >= queue.max_running:
        words = {"queue": run.queue, "most": queue.max_running}
        yield _("The queue %(queue)s runs as many as it may: %(most)s.") % words


def _of_workers(run: ProjectRun) -> Iterator[str]:
    serving = [worker for worker in alive_workers() if run.queue in worker.queues]
    words = {"queue": run.queue}
    if not serving:
        yield _("No worker serves the queue %(queue)s now: start one with slipway worker --queues %(queue)s.") % words
    elif all(worker.is_draining for worker in serving):
        yield _("All workers of the queue %(queue)s are being drained: they take nothing new.") % words
    elif run.gpus and all(_gpus_of(worker) < run.gpus for worker in serving):
        yield _("No worker of the queue %(queue)s has as many GPUs as it wants.") % words
    elif ProjectRun.objects.held().filter(worker__in=serving).count() >= sum(one.concurrency for one in serving):
        yield _("All workers of the queue %(queue)s are at work.") % words


def _of_team(run: ProjectRun) -> Iterator[str]:
    most = Quota.objects.filter(team_id=run.team_id).values_list("max_running", flat=True).first()
    if most is not None and _held(team_id=run.team_id) >= most:
        yield _("The team runs as many as it may: %(most)s.") % {"most": most}


def _of_project(run: ProjectRun) -> Iterator[str]:
    most = run.project.max_running if run.project else None
    if most is not None and _held(project_id=run.project_id) >= most:
        yield _("The project runs as many as it may: %(most)s.") % {"most": most}


def _of_order(run: ProjectRun) -> Iterator[str]:
    before = Q(priority__gt=run.priority) | Q(priority=run.priority, pk__lt=run.pk)
    ahead = ProjectRun.objects.filter(before, state=RunState.QUEUED, queue=run.queue).count()
    if ahead:
        yield ngettext("%(n)s run stands before it.", "%(n)s runs stand before it.", ahead) % {"n": ahead}


def _gpus_of(worker: Worker) -> int:
    found = worker.abilities.get("gpus") or []
    return len(found) if isinstance(found, list) else int(found)


def _held(**of: object) -> int:
    return ProjectRun.objects.held().filter(**of).count()
