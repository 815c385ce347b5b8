"""How attempts end, and with the last of them the run: once, under the fence of who had it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from django.db import transaction

from apps.accounts.actions.run_tokens import end_run_token
from apps.audit.actions import record
from apps.core.actor import Actor
from apps.experiments import actions as experiments
from apps.experiments.models import RunStatus
from apps.projects import events, live
from apps.projects.actions.builds import note_build_ended
from apps.projects.actions.common import DatabaseMs, Fenced, now_ms, subject_of_run
from apps.projects.evidence import note_ended
from apps.projects.models import ACTIVE, Attempt, Outcome, ProjectRun, RunState
from apps.projects.telling import tell_run_ended
from apps.projects.waking import wake

_TRACKING = {
    RunState.FINISHED: RunStatus.FINISHED,
    RunState.FAILED: RunStatus.FAILED,
    RunState.CANCELLED: RunStatus.KILLED,
    RunState.LOST: RunStatus.FAILED,
}
LONGEST_BACKOFF_MS = 3_600_000
_MAX_MESSAGE = 2000


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended, and why in a sentence."""

    state: RunState
    message: str = ""
    exit_code: int | None = None


def end_attempt(actor: Actor, *, run: ProjectRun, ending: Ending, if_silent: bool = False) -> None:
    """End a run for whoever holds it, or where its policy gives it another attempt, queue it again.

    What failed or was lost after somebody asked to cancel it is cancelled. Raises `Fenced` where the run is somebody
    else's by now or has ended; with `if_silent` also where its worker still says that it lives. One that was believed
    lost and waits for its next attempt is still ended by one that finished, since it need not be done twice.
    """
    with transaction.atomic():
        now = _locked(run, if_silent=if_silent)
        if now is None or not (now.is_held or (now.attempt and ending.state is RunState.FINISHED)):
            raise Fenced(f"{run} is not this worker's any more, or has ended.")
        ending = _as_asked(now, ending)
        if not now.is_held:
            _was_not_lost(now, run)
        if now.is_held and _has_another(now, ending):
            outcome = Outcome.LOST if ending.state is RunState.LOST else Outcome.FAILED
            _queue_again(actor, now, ending, outcome, _rest_ms(now))
        else:
            _end(actor, now, ending)
    _learn(run, now)


def end_waiting(actor: Actor, *, run: ProjectRun, ending: Ending) -> None:
    """End a run that waits. Raises `Fenced` where a worker has it by now or it has ended."""
    with transaction.atomic():
        now = _locked(run)
        if now is None or now.state != RunState.QUEUED:
            raise Fenced(f"{run} does not wait any more.")
        _end(actor, now, ending)
    _learn(run, now)


def return_run(actor: Actor, *, run: ProjectRun, why: str) -> None:
    """Put a run back whose worker is stopped by plan and has ended its processes: next in turn, no attempt used up.

    Raises `Fenced` where the run is somebody else's by now or has ended.
    """
    with transaction.atomic():
        now = _locked(run)
        if now is None or not now.is_held:
            raise Fenced(f"{run} is not this worker's any more, or has ended.")
        ending = _as_asked(now, Ending(RunState.LOST, why))
        if ending.state is RunState.CANCELLED:
            _end(actor, now, ending)
        else:
            _queue_again(actor, now, ending, Outcome.RETURNED, 0)
    _learn(run, now)


def cancelled_words(run: ProjectRun) -> str:
    """Who cancelled it, and why."""
    said = f"Cancelled by {run.cancelled_by}"
    return f"{said}: {run.cancel_reason}" if run.cancel_reason else f"{said}."


def _locked(run: ProjectRun, *, if_silent: bool = False) -> ProjectRun | None:
    """The run as it is now, unless it has ended or was claimed anew."""
    found = ProjectRun.objects.select_for_update(of=("self",), no_key=True).select_related("team", "project", "run")
    if if_silent:
        found = found.filter(lease_until_ms__lt=DatabaseMs())
    return found.filter(pk=run.pk, fence=run.fence, state__in=ACTIVE).first()


def _as_asked(run: ProjectRun, ending: Ending) -> Ending:
    if run.cancel_ms is not None and ending.state in (RunState.FAILED, RunState.LOST):
        return replace(ending, state=RunState.CANCELLED, message=cancelled_words(run))
    return ending


def _has_another(run: ProjectRun, ending: Ending) -> bool:
    wanted = ending.state is RunState.LOST or (ending.state is RunState.FAILED and run.retries_failures)
    return wanted and run.attempt <= run.retries


def _rest_ms(run: ProjectRun) -> int:
    return int(min(run.backoff_s * 1000 * 2 ** (run.attempt - 1), LONGEST_BACKOFF_MS))


def _queue_again(actor: Actor, run: ProjectRun, ending: Ending, outcome: Outcome, rest_ms: int) -> None:
    message = ending.message[:_MAX_MESSAGE]
    _keep_attempt(run, ending, outcome)
    returned = outcome is Outcome.RETURNED
    _write(run, state=RunState.QUEUED, message=message, attempt=run.attempt - returned, **_NOBODYS)
    if rest_ms:
        ProjectRun.objects.filter(pk=run.pk).update(not_before_ms=DatabaseMs() + rest_ms)
    _end_token(run)
    _tell_tracking(actor, run, RunStatus.SCHEDULED, None)
    after = {"attempt": run.attempt + returned, "outcome": outcome.value, "why": message}
    record(actor, events.RUN_RETRIED, subject_of_run(run), after=after)
    _after_commit(run)


_NOBODYS: dict[str, object] = {
    "lease_until_ms": None,
    "worker": None,
    "worker_name": "",
    "claimed_ms": None,
    "started_ms": None,
    "exit_code": None,
    "gpu_ids": [],
}


def _keep_attempt(run: ProjectRun, ending: Ending, outcome: Outcome) -> None:
    Attempt.objects.create(
        project_run=run,
        fence=run.fence,
        number=run.attempt,
        worker_name=run.worker_name,
        outcome=outcome,
        message=ending.message[:_MAX_MESSAGE],
        exit_code=ending.exit_code,
        claimed_ms=run.claimed_ms,
        started_ms=run.started_ms,
        ended_ms=now_ms(),
    )


def _was_not_lost(now: ProjectRun, run: ProjectRun) -> None:
    """The attempt that was kept as lost is the run's last: it has back what its worker knows of it."""
    Attempt.objects.filter(project_run=now, fence=now.fence).delete()
    known = ("worker", "worker_name", "claimed_ms", "started_ms", "gpu_ids")
    _write(now, **{name: getattr(run, name) for name in known})


def _end(actor: Actor, run: ProjectRun, ending: Ending) -> None:
    now, message = now_ms(), ending.message[:_MAX_MESSAGE]
    changes = {"message": message, "exit_code": ending.exit_code, "lease_until_ms": None}
    _write(run, state=ending.state, ended_ms=now, **changes)
    _end_token(run)
    _tell_tracking(actor, run, _TRACKING[ending.state], now)
    after = {"state": ending.state.value, "exit_code": ending.exit_code, "why": message}
    record(actor, events.RUN_ENDED, subject_of_run(run), after=after)
    tell_run_ended(actor, run)
    note_ended(run)
    note_build_ended(run)
    _after_commit(run)


def _write(run: ProjectRun, **values: object) -> None:
    ProjectRun.objects.filter(pk=run.pk).update(**values)
    for name, value in values.items():
        setattr(run, name, value)


def _end_token(run: ProjectRun) -> None:
    if run.token_id is not None:
        end_run_token(token_id=run.token_id)


def _tell_tracking(actor: Actor, run: ProjectRun, status: RunStatus, end_ms: int | None) -> None:
    if run.run is not None:
        experiments.settle_run(actor, run=run.run, status=status, end_ms=end_ms)


def _after_commit(run: ProjectRun) -> None:
    transaction.on_commit(partial(live.touch, run.pk, "run"))
    transaction.on_commit(partial(wake, run.queue))


def _learn(run: ProjectRun, now: ProjectRun) -> None:
    """Let the caller's object say what the row says."""
    for name in ("state", "attempt", "message", "exit_code", "ended_ms", "lease_until_ms", "cancel_ms"):
        setattr(run, name, getattr(now, name))
