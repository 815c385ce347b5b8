"""Workers of these tests: they claim, beat and end by the actions, and run nothing."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from apps.core.actor import system_actor
from apps.projects import actions
from apps.projects.models import ProjectRun, RunState, Worker

SYSTEM = system_actor()
_numbers = itertools.count(1)


def make_worker(*queues: str, abilities: dict[str, Any] | None = None) -> Worker:
    """A worker that says it lives; without a queue it serves the default one."""
    number = next(_numbers)
    return actions.register_worker(
        SYSTEM,
        name=f"host-{number}",
        host="host",
        pid=number,
        queues=list(queues) or ["default"],
        concurrency=1,
        abilities=abilities or {},
        version="1",
    )


def claim(worker: Worker, gpus: Sequence[str] = ()) -> ProjectRun | None:
    """The next run of the worker's queues."""
    return actions.claim_run(SYSTEM, worker=worker, queues=worker.queues, free_gpus=gpus)


def claimed(worker: Worker) -> ProjectRun:
    """The next run, of which there has to be one."""
    run = claim(worker)
    assert run is not None
    return run


def started(worker: Worker) -> ProjectRun:
    """The next run, its code begun."""
    run = claimed(worker)
    actions.start_run(SYSTEM, run=run)
    return run


def end(run: ProjectRun, state: RunState, message: str = "", code: int | None = None) -> None:
    """Let its worker say how it ended."""
    actions.end_attempt(SYSTEM, run=run, ending=actions.Ending(state, message, code))


def fresh(run: ProjectRun) -> ProjectRun:
    """The run as the database has it."""
    return ProjectRun.objects.select_related("run", "token", "worker").get(pk=run.pk)


def silence(*runs: ProjectRun) -> None:
    """Let the leases of runs have run out: their worker said nothing for too long."""
    ProjectRun.objects.filter(pk__in=[run.pk for run in runs]).update(lease_until_ms=1)


def rested(run: ProjectRun) -> None:
    """Let the time have passed that a run rests before its next attempt."""
    ProjectRun.objects.filter(pk=run.pk).update(not_before_ms=0)
