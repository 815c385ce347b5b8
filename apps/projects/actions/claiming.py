"""How workers take runs. The database says whose a run is: a message only says that it is worth looking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from django.db import transaction
from django.db.models import QuerySet

from apps.audit.actions import record
from apps.core.actor import Actor
from apps.experiments import actions as experiments
from apps.experiments.models import RunStatus
from apps.projects import events, live
from apps.projects.actions.common import DatabaseMs, Fenced, now_ms, subject_of_run
from apps.projects.models import HELD, Project, ProjectRun, Queue, Quota, RunState, Worker

# A worker that said nothing for so long has lost its runs.
LEASE_MS = 30_000


@dataclass(frozen=True, slots=True)
class Held:
    """A run as its worker knows it: nobody writes under another fence."""

    run_id: int
    fence: int


def is_something_waiting(queues: Sequence[str]) -> bool:
    """Whether looking is worth while: a run of these queues waits, and its time has come. One statement, no lock."""
    return _due(queues).exists()


def claim_run(
    actor: Actor, *, worker: Worker, queues: Sequence[str], free_gpus: Sequence[str] = ()
) -> ProjectRun | None:
    """The run that is next in some queues, now the worker's; None where nothing may be taken.

    Highest priority first, then who came first, leaving out what the limits of queue, team or project hold back. All
    who claim wait for each other, so that no limit is passed. The run has the first of the worker's free devices, and
    team, project, experiment, tracking run, archive and owner at hand. A constant number of statements.
    """
    if not is_something_waiting(queues):
        return None
    with transaction.atomic():
        all_queues = list(Queue.objects.select_for_update(no_key=True).order_by("name"))
        run = _next(queues, all_queues, len(free_gpus)) if _takes(worker) else None
        if run is not None:
            _hand_over(run, worker, free_gpus)
            transaction.on_commit(partial(live.touch, run.pk, "run"))
    return run


def start_run(actor: Actor, *, run: ProjectRun, **known: object) -> None:
    """The user's code begins now. `known` are fields that preparing found out: commit, isolation, environment …

    Raises `Fenced` where the run is somebody else's by now.
    """
    with transaction.atomic():
        write_held(run, state=RunState.RUNNING, started_ms=now_ms(), **known)
        if run.run is not None:
            experiments.update_run(actor, run=run.run, status=RunStatus.RUNNING)
        after = {"worker": run.worker_name, "attempt": run.attempt}
        record(actor, events.RUN_STARTED, subject_of_run(run), after=after)
        transaction.on_commit(partial(live.touch, run.pk, "run"))


def write_held(run: ProjectRun, **values: object) -> None:
    """Change fields of a run under its fence. Raises `Fenced` where it is somebody else's, or has ended."""
    if not ProjectRun.objects.filter(pk=run.pk, fence=run.fence, state__in=HELD).update(**values):
        raise Fenced(f"{run} is not this worker's any more.")
    for name, value in values.items():
        setattr(run, name, value)


def beat(actor: Actor, *, worker: Worker, held: Iterable[Held]) -> dict[Held, int | None] | None:
    """Say that the worker lives and goes on with some runs; its row is read anew.

    Returns those it still has, each with when somebody asked to cancel it; what is missing was taken away. None for a
    worker that was forgotten: it has no runs any more. Four statements, whatever the number.
    """
    if not Worker.objects.filter(pk=worker.pk).update(seen_ms=now_ms(), stopped_ms=None):
        return None
    worker.refresh_from_db(fields=["is_draining"])
    mine = _held_by(worker, held)
    mine.update(lease_until_ms=DatabaseMs() + LEASE_MS)
    return {Held(pk, fence): cancel for pk, fence, cancel in mine.values_list("pk", "fence", "cancel_ms")}


def asked_to_cancel(*, worker: Worker, held: Iterable[Held]) -> set[Held]:
    """Which of a worker's runs somebody asked to cancel. One statement."""
    asked = _held_by(worker, held).filter(cancel_ms__isnull=False)
    return {Held(pk, fence) for pk, fence in asked.values_list("pk", "fence")}


def _held_by(worker: Worker, held: Iterable[Held]) -> QuerySet[ProjectRun]:
    return ProjectRun.objects.held().filter(pk__in=[each.run_id for each in held], worker=worker)


def _takes(worker: Worker) -> bool:
    return Worker.objects.filter(pk=worker.pk, is_draining=False).exists()


def _due(queues: Sequence[str]) -> QuerySet[ProjectRun]:
    return ProjectRun.objects.filter(state=RunState.QUEUED, queue__in=queues, not_before_ms__lte=DatabaseMs())


def _next(names: Sequence[str], queues: Iterable[Queue], free_gpus: int) -> ProjectRun | None:
    busy = _Busy()
    open_queues = [queue.name for queue in queues if queue.name in names and busy.has_room_in(queue)]
    waiting = _due(open_queues).filter(gpus__lte=free_gpus, cancel_ms__isnull=True)
    waiting = waiting.exclude(team_id__in=busy.full_teams()).exclude(project_id__in=busy.full_projects())
    # One that somebody cancels at this moment is passed over.
    found = waiting.select_for_update(skip_locked=True, no_key=True).order_by("-priority", "id")
    # By key alone: thousands may wait, and only one is read whole.
    key = found.values_list("pk", flat=True).first()
    return ProjectRun.objects.select_related(*_AT_HAND).get(pk=key) if key else None


_AT_HAND = ("team", "project__team", "experiment", "run__experiment", "archive", "owner")


def _hand_over(run: ProjectRun, worker: Worker, free_gpus: Sequence[str]) -> None:
    changes = {
        "state": RunState.PREPARING,
        "worker": worker,
        "worker_name": worker.name,
        "attempt": run.attempt + 1,
        "fence": run.fence + 1,
        "claimed_ms": now_ms(),
        "started_ms": None,
        "message": "",
        "gpu_ids": list(free_gpus[: run.gpus]),
    }
    ProjectRun.objects.filter(pk=run.pk).update(lease_until_ms=DatabaseMs() + LEASE_MS, **changes)
    for name, value in changes.items():
        setattr(run, name, value)


class _Busy:
    """How many runs go on, by what limits them."""

    def __init__(self) -> None:
        held = list(ProjectRun.objects.held().values_list("queue", "team_id", "project_id"))
        self._queues = Counter(queue for queue, _, _ in held)
        self._teams = Counter(team for _, team, _ in held)
        self._projects = Counter(project for _, _, project in held if project is not None)

    def has_room_in(self, queue: Queue) -> bool:
        return not queue.is_paused and (queue.max_running is None or self._queues[queue.name] < queue.max_running)

    def full_teams(self) -> list[int]:
        found = Quota.objects.filter(max_running__isnull=False).values_list("team_id", "max_running")
        return [pk for pk, most in found if most is not None and self._teams[pk] >= most]

    def full_projects(self) -> list[int]:
        """A limit of 0 holds back all, so the running ones don't tell alone which are full."""
        found = Project.objects.filter(max_running__isnull=False).values_list("pk", "max_running")
        return [pk for pk, most in found if most is not None and self._projects[pk] >= most]
