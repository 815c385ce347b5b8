"""Many claim, end, cancel and sweep at once. The database is the referee, so these are PostgreSQL's alone."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections

from apps.audit.models import Event
from apps.core.errors import DomainError
from apps.experiments.models import Run
from apps.notifications.models import Notification
from apps.projects import actions
from apps.projects.actions import Held
from apps.projects.asking.submission import Submission
from apps.projects.models import Attempt, Project, ProjectRun, Queue, Quota, RunState, Worker
from tests.personas import People
from tests.projects.making import make_experiment, make_project, make_run, queue
from tests.projects.queue.making import SYSTEM, claim, end, fresh, make_worker, rested, silence, started

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="an in-memory SQLite has one writer at a time"),
    pytest.mark.django_db(transaction=True),
]
WORKERS = 20


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Make all calls at the same moment, each in a thread; what came back, or the error's name."""
    gate = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            gate.wait()
            return call()
        except DomainError as error:
            return type(error).__name__
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def claiming(worker: Worker) -> Callable[[], ProjectRun | None]:
    """A call that claims one run."""
    return lambda: claim(worker)


def drain(worker: Worker, most: int, seen: list[int]) -> Callable[[], list[int]]:
    """Claim and finish until nothing is there; at each step count what runs: never more than `most`."""

    def work() -> list[int]:
        taken = []
        while (run := claim(worker)) is not None:
            seen.append(ProjectRun.objects.held().filter(queue="default").count())
            taken.append(run.pk)
            end(run, RunState.FINISHED)
        return taken

    return work


def test_twenty_workers_take_each_run_once_and_in_order(people: People) -> None:
    project = make_project(people.ada)
    priorities = [random.Random(4).randint(0, 100) for _ in range(60)]
    runs = [make_run(people.ada, project, priority=priority) for priority in priorities]
    workers = [make_worker() for _ in range(WORKERS)]

    def some(worker: Worker) -> Callable[[], list[int]]:
        return lambda: [run.pk for run in (claim(worker) for _ in range(2)) if run is not None]

    taken = [pk for keys in at_once([some(worker) for worker in workers]) for pk in keys]
    assert len(taken) == len(set(taken)) == 40
    best = sorted(runs, key=lambda run: (-run.priority, run.pk))
    assert set(taken) == {run.pk for run in best[:40]}
    assert set(ProjectRun.objects.held().values_list("attempt", "fence")) == {(1, 1)}


@pytest.mark.parametrize("limited", ["queue", "team", "project"])
def test_no_limit_is_passed_by_twenty_workers(people: People, limited: str) -> None:
    project = make_project(people.ada)
    for _ in range(30):
        make_run(people.ada, project)
    match limited:
        case "queue":
            Queue.objects.filter(name="default").update(max_running=3)
        case "team":
            Quota.objects.create(team=people.forge, max_running=3)
        case "project":
            Project.objects.update(max_running=3)
    claimed = at_once([claiming(make_worker()) for _ in range(WORKERS)])
    assert sum(run is not None for run in claimed) == 3
    for run in claimed:
        if run is not None:
            end(run, RunState.FINISHED)
    seen: list[int] = []
    done = at_once([drain(make_worker(), 3, seen) for _ in range(WORKERS)])
    assert max(seen) <= 3
    # Who finds all places taken gives up here; what is left then waits.
    assert sum(map(len, done)) + 3 + ProjectRun.objects.filter(state=RunState.QUEUED).count() == 30


def test_limits_of_a_team_hold_over_queues_of_different_workers(people: People) -> None:
    project = make_project(people.ada)
    names = [f"q{number}" for number in range(5)]
    for name in names:
        queue(name)
        for _ in range(4):
            make_run(people.ada, project, queue=name)
    Quota.objects.create(team=people.forge, max_running=2)
    claimed = at_once([claiming(make_worker(name)) for name in names for _ in range(4)])
    assert sum(run is not None for run in claimed) == 2


def test_a_run_that_is_cancelled_finished_lost_returned_and_swept_at_once_ends_once(people: People) -> None:
    project = make_project(people.ada)
    dice = random.Random(11)
    for turn in range(12):
        make_run(people.ada, project, retries=turn % 2, retries_failures=True)
        run = started(make_worker())
        silence(run)
        rows = [ProjectRun.objects.select_related("team", "run").get(pk=run.pk) for _ in range(6)]
        calls: list[Callable[[], Any]] = [
            partial(end, rows[0], RunState.FINISHED),
            partial(end, rows[1], RunState.FAILED),
            partial(end, rows[2], RunState.LOST),
            partial(actions.return_run, SYSTEM, run=rows[3], why="stopped"),
            partial(actions.cancel_run, people.max.actor, run=rows[4]),
            partial(actions.sweep_runs, SYSTEM),
        ]
        at_once(dice.sample(calls, len(calls)))
        actions.sweep_runs(SYSTEM)
        row = fresh(run)
        ended = Event.objects.filter(code="project_run.ended", object_id=str(run.pk)).count()
        assert ended == (0 if row.is_active else 1)
        assert Attempt.objects.filter(project_run=run).count() <= 1
        assert row.run is not None
        assert (row.run.status in ("FINISHED", "FAILED", "KILLED")) == (not row.is_active)
        if row.is_active:
            actions.cancel_run(people.max.actor, run=row)
    assert not ProjectRun.objects.active().exists()
    assert Event.objects.filter(code="project_run.ended").count() == 12
    told = Notification.objects.filter(topic="project.run_failed")
    assert told.count() == ProjectRun.objects.exclude(state=RunState.FINISHED).count()


def test_cancelling_and_claiming_at_once_leave_no_run_that_is_both(people: People) -> None:
    project = make_project(people.ada)
    for _ in range(15):
        run = make_run(people.ada, project)
        worker = make_worker()
        at_once([partial(actions.cancel_run, people.ada.actor, run=run), claiming(worker)])
        row = fresh(run)
        assert row.cancel_ms is not None
        if row.state == RunState.PREPARING:
            assert actions.asked_to_cancel(worker=worker, held=[Held(run.pk, 1)]) == {Held(run.pk, 1)}
            end(row, RunState.FAILED)
        assert fresh(run).state == RunState.CANCELLED


def test_a_late_finish_and_the_next_attempt_at_once_do_it_once(people: People) -> None:
    project = make_project(people.ada)
    for _ in range(15):
        make_run(people.ada, project, retries=1)
        late = started(make_worker())
        end(ProjectRun.objects.get(pk=late.pk), RunState.LOST)
        rested(late)
        worker = make_worker()
        finished, claimed = at_once([partial(end, late, RunState.FINISHED), claiming(worker)])
        row = fresh(late)
        if finished == "Fenced":
            assert claimed.pk == late.pk and row.state == RunState.PREPARING
            end(claimed, RunState.FINISHED)
        else:
            assert claimed is None and row.state == RunState.FINISHED


def test_the_same_asked_ten_times_at_once_is_queued_once(people: People) -> None:
    project = make_project(people.ada, experiment=make_experiment(people.ada))
    Quota.objects.create(team=people.forge, max_queued=1)
    actor = people.ada.actor

    def submit() -> int:
        experiment = project.experiment
        assert experiment is not None
        run = actions.submit_run(
            actor, submission=Submission(), experiment=experiment, project=project, request_key="k"
        )
        return run.pk

    assert len(set(at_once([submit] * 10))) == 1
    assert ProjectRun.objects.count() == Run.objects.count() == 1
    assert Event.objects.filter(code="project_run.queued").count() == 1


def test_a_quota_of_waiting_runs_is_not_passed(people: People) -> None:
    project = make_project(people.ada, experiment=make_experiment(people.ada))
    Quota.objects.create(team=people.forge, max_queued=4)
    actor = people.ada.actor

    def submit() -> str:
        experiment = project.experiment
        assert experiment is not None
        actions.submit_run(actor, submission=Submission(), experiment=experiment, project=project)
        return "queued"

    assert Counter(at_once([submit] * 12)) == {"queued": 4, "Conflict": 8}


def test_pausing_a_queue_waits_for_who_claims_and_then_nothing_is_taken(people: People) -> None:
    project = make_project(people.ada)
    for _ in range(10):
        make_run(people.ada, project)
    workers = [make_worker() for _ in range(9)]

    def pause() -> int:
        Queue.objects.update(is_paused=True)
        return ProjectRun.objects.held().count()

    counted, *_ = at_once([pause, *[claiming(worker) for worker in workers]])
    assert ProjectRun.objects.held().count() == counted
