"""What no message and no worker carries any more."""

from __future__ import annotations

from contextlib import suppress

from apps.core.actor import Actor
from apps.projects.actions.cancelling import cancelled_words
from apps.projects.actions.common import Fenced, now_ms
from apps.projects.actions.ending import Ending, end_attempt
from apps.projects.models import ProjectRun, RunState
from apps.projects.waking import wake


def sweep_runs(actor: Actor) -> int:
    """End or queue again the runs whose lease has run out, and wake the workers of queues where runs wait.

    How many were without a worker.
    """
    found = ProjectRun.objects.held().filter(lease_until_ms__lt=now_ms())
    lost = list(found.select_related("team", "run", "token", "project")[:500])
    for run in lost:
        with suppress(Fenced):
            end_attempt(actor, run=run, ending=_lost(run))
    due = ProjectRun.objects.filter(state=RunState.QUEUED, not_before_ms__lte=now_ms())
    for queue in due.values_list("queue", flat=True).distinct().order_by():
        wake(queue)
    return len(lost)


def _lost(run: ProjectRun) -> Ending:
    if run.cancel_ms is not None:
        return Ending(RunState.CANCELLED, cancelled_words(run))
    return Ending(RunState.LOST, f"The worker {run.worker_name} was lost, and the run with it.")
