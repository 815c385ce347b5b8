"""A row in the queue: what a project's run and a build have in common."""

from __future__ import annotations

from functools import partial

from django.db import transaction

from apps.audit.actions import record
from apps.core.actor import Actor
from apps.core.errors import Conflict, InvalidInput
from apps.projects import events
from apps.projects.actions.common import subject_of_run
from apps.projects.models import ProjectRun, Queue, Quota, RunState
from apps.projects.waking import wake


def require_place(run: ProjectRun) -> None:
    """Raise `InvalidInput` for a queue that isn't there, `Conflict` where the team's quota is used up.

    In the transaction that stores the run: two that come at once wait for each other where a quota is set.
    """
    if not Queue.objects.filter(name=run.queue).exists():
        raise InvalidInput(f"There is no queue '{run.queue}'.")
    quotas = Quota.objects.select_for_update(no_key=True).filter(team_id=run.team_id, max_queued__isnull=False)
    most = quotas.values_list("max_queued", flat=True).first()
    if most is not None and ProjectRun.objects.filter(team_id=run.team_id, state=RunState.QUEUED).count() >= most:
        raise Conflict(f"The team {run.team.name} may have {most} runs waiting, and has them.")


def store_run(actor: Actor, run: ProjectRun) -> None:
    """Put a run for which there is a place into its queue, in the caller's transaction."""
    run.save(force_insert=True)
    after = {"entry_point": run.entry_point, "params": run.params, "queue": run.queue, "trigger": run.trigger}
    after |= {"secrets": run.secrets} if run.secrets else {}
    record(actor, events.RUN_QUEUED, subject_of_run(run), after=after)
    transaction.on_commit(partial(wake, run.queue))
