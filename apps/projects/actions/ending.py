"""How runs end: once, from a state that is not an end, under the fence of who had it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from django.db import transaction

from apps.accounts import actions as accounts
from apps.audit.actions import record
from apps.core.actor import Actor
from apps.experiments import actions as experiments
from apps.experiments.models import RunStatus
from apps.projects import events
from apps.projects.actions.common import Fenced, now_ms, subject_of_run
from apps.projects.models import ACTIVE, ProjectRun, RunState
from apps.projects.waking import wake

_TRACKING = {
    RunState.FINISHED: RunStatus.FINISHED,
    RunState.FAILED: RunStatus.FAILED,
    RunState.CANCELLED: RunStatus.KILLED,
    RunState.LOST: RunStatus.FAILED,
}
LONGEST_BACKOFF_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended, and why in a sentence."""

    state: RunState
    message: str = ""
    exit_code: int | None = None


def end_attempt(actor: Actor, *, run: ProjectRun, ending: Ending) -> None:
    """End a run, or where its policy gives it another attempt, queue it again.

    Raises `Fenced` where the run is somebody else's by now or has ended.
    """
    if _has_another(run, ending):
        _queue_again(actor, run, ending)
    else:
        _end(actor, run, ending)


def _has_another(run: ProjectRun, ending: Ending) -> bool:
    wanted = ending.state is RunState.LOST or (ending.state is RunState.FAILED and run.retries_failures)
    return wanted and run.attempt <= run.retries and run.cancel_ms is None


def _queue_again(actor: Actor, run: ProjectRun, ending: Ending) -> None:
    rest = min(run.backoff_s * 1000 * 2 ** (run.attempt - 1), LONGEST_BACKOFF_MS)
    with transaction.atomic():
        _write(run, state=RunState.QUEUED, not_before_ms=now_ms() + rest, lease_until_ms=None, message=ending.message)
        _revoke(actor, run)
        after = {"attempt": run.attempt, "why": ending.message}
        record(actor, events.RUN_RETRIED, subject_of_run(run), after=after)
        transaction.on_commit(partial(wake, run.queue))


def _end(actor: Actor, run: ProjectRun, ending: Ending) -> None:
    now = now_ms()
    with transaction.atomic():
        _write(
            run,
            state=ending.state,
            ended_ms=now,
            lease_until_ms=None,
            message=ending.message[:2000],
            exit_code=ending.exit_code,
        )
        _revoke(actor, run)
        if run.run is not None and not run.run.is_deleted:
            experiments.update_run(actor, run=run.run, status=_TRACKING[ending.state], end_ms=now)
        after = {"state": ending.state, "exit_code": ending.exit_code, "why": ending.message}
        record(actor, events.RUN_ENDED, subject_of_run(run), after=after)
        transaction.on_commit(partial(wake, run.queue))


def _write(run: ProjectRun, **values: object) -> None:
    if not ProjectRun.objects.filter(pk=run.pk, fence=run.fence, state__in=ACTIVE).update(**values):
        raise Fenced(f"{run} is not this worker's any more, or has ended.")
    for name, value in values.items():
        setattr(run, name, value)


def _revoke(actor: Actor, run: ProjectRun) -> None:
    if run.token is not None:
        accounts.revoke_token(actor, token=run.token)
