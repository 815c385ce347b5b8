"""What no message and no worker carries any more. Each sweep does a bounded part; the next one goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

from apps.core.actor import Actor
from apps.projects.actions.common import DatabaseMs, Fenced, now_ms
from apps.projects.actions.ending import Ending, cancelled_words, end_attempt, end_waiting
from apps.projects.actions.logs import store_logs
from apps.projects.actions.workers import forget_workers
from apps.projects.limits import PREPARING_SECONDS, seconds_of
from apps.projects.models import ProjectRun, RunState

AT_ONCE = 200
# How much longer than it may a run goes on before its worker is no longer waited for.
OVERTIME_MS = 60_000


def sweep_runs(actor: Actor) -> int:
    """End or queue again the runs that no worker has any more, and store the logs of ended ones; how many were seen to.

    Waiting runs need none: workers look for them by themselves, and for lost ones, so that both go on without a broker.
    """
    forget_workers(actor)
    return end_lost_runs(actor) + _end_overdue(actor) + _end_cancelled(actor) + store_logs()


def end_lost_runs(actor: Actor) -> int:
    """End or queue again those whose lease has run out by the database's clock; how many. One statement if none has."""
    found = ProjectRun.objects.held().filter(lease_until_ms__lt=DatabaseMs()).order_by("lease_until_ms")[:AT_ONCE]
    return _each(found, lambda run: end_attempt(actor, run=run, ending=_lost(run), if_silent=True))


def _end_overdue(actor: Actor) -> int:
    """Those that their worker should have ended for taking too long; it hears that they are not its any more."""
    latest = now_ms() - OVERTIME_MS
    held = ProjectRun.objects.held().filter(claimed_ms__lt=latest)
    overdue = [run for run in held if _began(run) + _seconds(run) * 1000 < latest]
    return _each(overdue, lambda run: end_attempt(actor, run=run, ending=Ending(RunState.FAILED, _too_long(run))))


def _end_cancelled(actor: Actor) -> int:
    """Those that were cancelled while a worker had them, and were queued again by one that did not know."""
    found = ProjectRun.objects.filter(state=RunState.QUEUED, cancel_ms__isnull=False)[:AT_ONCE]
    return _each(
        found, lambda run: end_waiting(actor, run=run, ending=Ending(RunState.CANCELLED, cancelled_words(run)))
    )


def _each(found: Iterable[ProjectRun], see_to: Callable[[ProjectRun], None]) -> int:
    count = 0
    for run in list(found):
        # Its worker, or somebody who cancelled it, came first.
        with suppress(Fenced):
            see_to(run)
            count += 1
    return count


def _lost(run: ProjectRun) -> Ending:
    return Ending(RunState.LOST, f"The worker {run.worker_name} was lost, and the run with it.")


def _began(run: ProjectRun) -> int:
    return run.started_ms or run.claimed_ms or run.queued_ms


def _seconds(run: ProjectRun) -> int:
    """How long it may take from there on: its own limit counts from when its command began."""
    return PREPARING_SECONDS if run.started_ms is None else seconds_of(run.limits)


def _too_long(run: ProjectRun) -> str:
    what = "Preparing it" if run.started_ms is None else "It"
    return f"{what} took longer than the {_seconds(run)} s that it may, and its worker did not end it."
