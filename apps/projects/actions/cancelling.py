from __future__ import annotations

from functools import partial

from django.db import transaction

from apps.audit.actions import record
from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.projects import events, live
from apps.projects.actions.common import now_ms, subject_of_run
from apps.projects.actions.ending import Ending, cancelled_words, end_waiting
from apps.projects.models import ProjectRun, RunState


def cancel_run(actor: Actor, *, run: ProjectRun, reason: str = "") -> None:
    """Ask that a run end, and with it what it started: at once where it waits, else its worker kills it.

    Asking twice changes nothing. The caller fetched it with the right to edit. Raises `Conflict` for one that has
    ended.
    """
    with transaction.atomic():
        locked = ProjectRun.objects.select_for_update(of=("self",), no_key=True).select_related("team")
        now = locked.get(pk=run.pk)
        if not now.is_active:
            raise Conflict(f"{now} has ended already: {now.state}.")
        _ask(actor, now, reason[:500])


def _ask(actor: Actor, run: ProjectRun, reason: str) -> None:
    if run.cancel_ms is None:
        asked = {"cancel_ms": now_ms(), "cancelled_by": actor.username, "cancel_reason": reason}
        ProjectRun.objects.filter(pk=run.pk).update(**asked)
        for name, value in asked.items():
            setattr(run, name, value)
        record(actor, events.RUN_CANCEL_ASKED, subject_of_run(run), after={"reason": reason})
        transaction.on_commit(partial(live.touch, run.pk, "run"))
    if run.state == RunState.QUEUED:
        end_waiting(actor, run=run, ending=Ending(RunState.CANCELLED, cancelled_words(run)))
    for child in _children(run):
        _ask(actor, child, f"{run}, which started it, was cancelled.")


def _children(run: ProjectRun) -> list[ProjectRun]:
    active = ProjectRun.objects.active().filter(parent=run, cancel_ms__isnull=True).order_by("pk")
    return list(active.select_for_update(of=("self",), no_key=True).select_related("team"))
