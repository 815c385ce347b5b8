from __future__ import annotations

from django.db import transaction

from apps.audit.actions import record
from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.projects import events
from apps.projects.actions.common import now_ms, subject_of_run
from apps.projects.actions.ending import Ending, end_attempt
from apps.projects.models import ProjectRun, RunState


def cancel_run(actor: Actor, *, run: ProjectRun, reason: str = "") -> None:
    """Ask that a run end: at once where it waits, else its worker kills it. Asking twice changes nothing.

    The caller fetched it with the right to edit. Raises `Conflict` for one that has ended.
    """
    with transaction.atomic():
        locked = ProjectRun.objects.select_for_update(of=("self",)).select_related("team", "run", "token")
        now = locked.get(pk=run.pk)
        if not now.is_active:
            raise Conflict(f"{now} has ended already: {now.state}.")
        if now.cancel_ms is None:
            asked = {"cancel_ms": now_ms(), "cancelled_by": actor.username, "cancel_reason": reason[:500]}
            ProjectRun.objects.filter(pk=now.pk).update(**asked)
            record(actor, events.RUN_CANCEL_ASKED, subject_of_run(now), after={"reason": reason[:500]})
            for name, value in asked.items():
                setattr(now, name, value)
        if now.state == RunState.QUEUED:
            end_attempt(actor, run=now, ending=Ending(RunState.CANCELLED, cancelled_words(now)))


def cancelled_words(run: ProjectRun) -> str:
    """Who cancelled it, and why."""
    said = f"Cancelled by {run.cancelled_by}"
    return f"{said}: {run.cancel_reason}" if run.cancel_reason else f"{said}."
