"""How workers take runs. The database says whose a run is: a message only says that it is worth looking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction

from apps.audit.actions import record
from apps.core.actor import Actor
from apps.experiments import actions as experiments
from apps.experiments.models import RunStatus
from apps.projects import events
from apps.projects.actions.common import Fenced, now_ms, subject_of_run
from apps.projects.models import HELD, Project, ProjectRun, Queue, Quota, RunState, Worker

# A worker that said nothing for so long has lost its runs.
LEASE_MS = 30_000


@dataclass(frozen=True, slots=True)
class Held:
    """A run as its worker knows it: nobody writes under another fence."""

    run_id: int
    fence: int


def claim_run(actor: Actor, *, worker: Worker, queues: Sequence[str], free_gpus: int = 0) -> ProjectRun | None:
    """The run that is next in some queues, now the worker's; None where nothing may be taken.

    Highest priority first, then who came first, leaving out what the limits of queue, team or project hold back. All
    who claim wait for each other, so that no limit is passed.
    """
    now = now_ms()
    with transaction.atomic():
        all_queues = list(Queue.objects.select_for_update().order_by("name"))
        run = _next(queues, all_queues, free_gpus, now)
        if run is None:
            return None
        run.state, run.worker, run.worker_name = RunState.PREPARING, worker, worker.name
        run.attempt, run.fence = run.attempt + 1, run.fence + 1
        run.claimed_ms, run.lease_until_ms, run.message = now, now + LEASE_MS, ""
        run.save(update_fields=_CLAIMED)
    return run


_CLAIMED = (
    "state",
    "worker",
    "worker_name",
    "attempt",
    "fence",
    "claimed_ms",
    "lease_until_ms",
    "message",
)


def start_run(actor: Actor, *, run: ProjectRun, **known: object) -> None:
    """The user's code begins now. `known` are fields that preparing found out: commit, isolation, environment …

    Raises `Fenced` where the run is somebody else's by now.
    """
    now = now_ms()
    with transaction.atomic():
        write_held(run, state=RunState.RUNNING, started_ms=now, **known)
        if run.run is not None:
            experiments.update_run(actor, run=run.run, status=RunStatus.RUNNING)
        after = {"worker": run.worker_name, "attempt": run.attempt}
        record(actor, events.RUN_STARTED, subject_of_run(run), after=after)


def write_held(run: ProjectRun, **values: object) -> None:
    """Change fields of a run under its fence. Raises `Fenced` where it is somebody else's, or has ended."""
    if not ProjectRun.objects.filter(pk=run.pk, fence=run.fence, state__in=HELD).update(**values):
        raise Fenced(f"{run} is not this worker's any more.")
    for name, value in values.items():
        setattr(run, name, value)


def beat(actor: Actor, *, worker: Worker, held: Iterable[Held]) -> dict[Held, int | None]:
    """Say that the worker lives and goes on with some runs.

    Returns those it still has, each with when somebody asked to cancel it; what is missing was taken away. Three
    statements, whatever the number.
    """
    now = now_ms()
    Worker.objects.filter(pk=worker.pk).update(seen_ms=now, stopped_ms=None)
    mine = ProjectRun.objects.filter(pk__in=[each.run_id for each in held], worker=worker, state__in=HELD)
    mine.update(lease_until_ms=now + LEASE_MS)
    return {Held(pk, fence): cancel for pk, fence, cancel in mine.values_list("pk", "fence", "cancel_ms")}


def _next(names: Sequence[str], queues: Iterable[Queue], free_gpus: int, now: int) -> ProjectRun | None:
    busy = list(ProjectRun.objects.held().values_list("queue", "team_id", "project_id"))
    by_queue, by_team, by_project = (Counter(column) for column in zip(*busy, strict=True)) if busy else ({}, {}, {})
    open_queues = [queue.name for queue in queues if queue.name in names and _has_room(queue, by_queue)]
    waiting = ProjectRun.objects.filter(state=RunState.QUEUED, queue__in=open_queues, not_before_ms__lte=now)
    waiting = waiting.filter(gpus__lte=free_gpus)
    full = [pk for pk, most in _quotas(by_team) if by_team[pk] >= most]
    stopped = [pk for pk, most in _project_limits(by_project) if by_project[pk] >= most]
    waiting = waiting.exclude(team_id__in=full).exclude(project_id__in=stopped)
    found = waiting.select_related("team", "project", "experiment", "run", "archive", "owner")
    return found.order_by("-priority", "id").first()


def _has_room(queue: Queue, by_queue: Counter[str] | dict[str, int]) -> bool:
    return not queue.is_paused and (queue.max_running is None or by_queue.get(queue.name, 0) < queue.max_running)


def _quotas(by_team: Iterable[int]) -> list[tuple[int, int]]:
    found = Quota.objects.filter(team_id__in=list(by_team))
    return [(pk, most) for pk, most in found.values_list("team_id", "max_running") if most is not None]


def _project_limits(by_project: Iterable[int | None]) -> list[tuple[int, int]]:
    found = Project.objects.filter(pk__in=[key for key in by_project if key is not None])
    return [(pk, most) for pk, most in found.values_list("pk", "max_running") if most is not None]
