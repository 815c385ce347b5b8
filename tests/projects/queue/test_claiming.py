from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.projects import actions
from apps.projects.actions import Held
from apps.projects.models import Project, ProjectRun, Queue, Quota, RunState, Worker
from tests.personas import People
from tests.projects.making import NOW_MS, make_project, make_run, queue
from tests.projects.queue.making import SYSTEM, claim, claimed, end, fresh, make_worker, started

pytestmark = pytest.mark.django_db


def order_of(worker: Worker) -> list[int]:
    """The keys of what a worker is given until nothing is left."""
    taken = []
    while (run := claim(worker)) is not None:
        taken.append(run.pk)
    return taken


def test_the_highest_priority_goes_first_and_among_equals_who_came_first(people: People) -> None:
    project = make_project(people.ada)
    runs = {priority: [make_run(people.ada, project, priority=priority) for _ in range(2)] for priority in (50, 10, 90)}
    expected = [run.pk for priority in (90, 50, 10) for run in runs[priority]]
    assert order_of(make_worker()) == expected


def test_a_worker_has_only_what_waits_in_its_queues(people: People) -> None:
    project = make_project(people.ada)
    for name in ("gpu", "night"):
        queue(name)
    runs = {name: make_run(people.ada, project, queue=name) for name in ("default", "gpu", "night")}
    assert order_of(make_worker("night", "default")) == [runs["default"].pk, runs["night"].pk]
    assert fresh(runs["gpu"]).state == RunState.QUEUED


def test_a_claimed_run_is_its_worker_s_under_a_fence_and_a_lease(people: People) -> None:
    make_run(people.ada, make_project(people.ada))
    worker = make_worker()
    run = claimed(worker)
    row = fresh(run)
    assert (row.state, row.worker, row.worker_name) == (RunState.PREPARING, worker, worker.name)
    assert (row.attempt, row.fence) == (1, 1)
    assert row.claimed_ms is not None and row.lease_until_ms is not None
    assert 29_000 <= row.lease_until_ms - row.claimed_ms <= 31_000
    assert claim(make_worker()) is None


def test_nothing_is_taken_from_a_paused_queue_until_it_goes_on(people: People) -> None:
    make_run(people.ada, make_project(people.ada))
    Queue.objects.update(is_paused=True)
    worker = make_worker()
    assert claim(worker) is None
    Queue.objects.update(is_paused=False)
    assert claim(worker) is not None


def test_a_draining_worker_takes_nothing_although_it_does_not_know_yet(people: People) -> None:
    make_run(people.ada, make_project(people.ada))
    worker = make_worker()
    Worker.objects.filter(pk=worker.pk).update(is_draining=True)
    assert claim(worker) is None
    Worker.objects.filter(pk=worker.pk).update(is_draining=False)
    assert claim(worker) is not None


def test_a_run_that_rests_lets_others_by(people: People) -> None:
    project = make_project(people.ada)
    first, second = (make_run(people.ada, project) for _ in range(2))
    ProjectRun.objects.filter(pk=first.pk).update(not_before_ms=NOW_MS * 2)
    assert order_of(make_worker()) == [second.pk]


@pytest.mark.parametrize("limited", ["queue", "team", "project"])
def test_limits_hold_back_what_is_above_them_and_let_others_by(people: People, limited: str) -> None:
    queue("other")
    mine = make_project(people.ada)
    theirs = make_project(people.cleo, "harbour")
    runs = [make_run(people.ada, mine, priority=90) for _ in range(3)]
    other = make_run(people.cleo, theirs, queue="other")
    match limited:
        case "queue":
            Queue.objects.filter(name="default").update(max_running=2)
        case "team":
            Quota.objects.create(team=people.forge, max_running=2)
        case "project":
            Project.objects.filter(pk=mine.pk).update(max_running=2)
    worker = make_worker("default", "other")
    first, second = claimed(worker), claimed(worker)
    assert [first.pk, second.pk] == [run.pk for run in runs[:2]]
    assert order_of(worker) == [other.pk]
    end(first, RunState.FINISHED)
    assert order_of(worker) == [runs[2].pk]


@pytest.mark.parametrize("limited", ["queue", "team", "project"])
def test_a_limit_of_nothing_lets_nothing_run(people: People, limited: str) -> None:
    project = make_project(people.ada)
    make_run(people.ada, project)
    match limited:
        case "queue":
            Queue.objects.update(max_running=0)
        case "team":
            Quota.objects.create(team=people.forge, max_running=0)
        case "project":
            Project.objects.update(max_running=0)
    assert claim(make_worker()) is None


def test_gpus_are_given_from_those_that_are_free(people: People) -> None:
    project = make_project(people.ada)
    greedy, modest = make_run(people.ada, project, gpus=3), make_run(people.ada, project, gpus=1)
    worker = make_worker()
    run = claim(worker, gpus=["0", "1"])
    assert run is not None and run.pk == modest.pk
    assert fresh(run).gpu_ids == ["0"]
    assert claim(worker, gpus=["1"]) is None
    assert fresh(greedy).state == RunState.QUEUED


def test_only_the_holder_starts_a_run(people: People) -> None:
    make_run(people.ada, make_project(people.ada))
    run = claimed(make_worker())
    ProjectRun.objects.filter(pk=run.pk).update(fence=run.fence + 1)
    with pytest.raises(actions.Fenced):
        actions.start_run(SYSTEM, run=run)
    assert fresh(run).state == RunState.PREPARING


def test_starting_writes_what_was_found_out_and_tells_the_tracking_run(people: People) -> None:
    make_run(people.ada, make_project(people.ada))
    run = claimed(make_worker())
    assert fresh(run).run is not None and fresh(run).run.status == "SCHEDULED"  # type: ignore[union-attr]
    actions.start_run(SYSTEM, run=run, commit="c" * 40, isolation="sandboxed")
    row = fresh(run)
    assert (row.state, row.commit, row.isolation) == (RunState.RUNNING, "c" * 40, "sandboxed")
    assert row.run is not None and row.run.status == "RUNNING"


def test_a_beat_prolongs_leases_and_tells_of_cancels_and_losses(people: People) -> None:
    project = make_project(people.ada)
    for _ in range(3):
        make_run(people.ada, project)
    worker = make_worker()
    kept, cancelled, taken = (started(worker) for _ in range(3))
    actions.cancel_run(people.ada.actor, run=cancelled, reason="enough")
    ProjectRun.objects.filter(pk=taken.pk).update(fence=taken.fence + 1)
    ProjectRun.objects.update(lease_until_ms=5)
    mine = [Held(run.pk, run.fence) for run in (kept, cancelled, taken)]
    still = actions.beat(SYSTEM, worker=worker, held=mine)
    assert still is not None
    assert still[mine[0]] is None
    assert still[mine[1]] is not None
    assert mine[2] not in still
    assert (fresh(kept).lease_until_ms or 0) > 5
    assert actions.asked_to_cancel(worker=worker, held=mine) == {mine[1]}


def test_a_worker_that_was_forgotten_hears_of_it(people: People) -> None:
    worker = make_worker()
    Worker.objects.all().delete()
    assert actions.beat(SYSTEM, worker=worker, held=[]) is None


def test_claiming_and_beating_cost_the_same_however_much_waits(people: People) -> None:
    project = make_project(people.ada)
    counts = []
    for _ in range(2):
        for _ in range(3):
            make_run(people.ada, project)
        worker = make_worker()
        with CaptureQueriesContext(
            connection,
        ) as claiming:
            claimed(worker)
        runs = [claimed(worker) for _ in range(2)]
        with CaptureQueriesContext(connection) as beating:
            actions.beat(SYSTEM, worker=worker, held=[Held(run.pk, run.fence) for run in runs])
        with CaptureQueriesContext(connection) as starting:
            actions.start_run(SYSTEM, run=runs[0])
        counts.append((len(claiming), len(beating), len(starting)))
    assert counts[0] == counts[1]
    # Of claiming two are a savepoint, of starting too.
    assert counts[0] == (11, 4, 5)
