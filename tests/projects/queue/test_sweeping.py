from __future__ import annotations

import pytest
from django.db.models import F
from django.test import override_settings

from apps.projects import actions
from apps.projects.limits import PREPARING_SECONDS
from apps.projects.models import ProjectRun, RunState, Worker
from tests.personas import People
from tests.projects.making import make_project, make_run
from tests.projects.queue.making import SYSTEM, claim, claimed, end, fresh, make_worker, rested, silence, started

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("begun", [False, True])
def test_a_run_whose_worker_is_silent_is_lost(people: People, begun: bool) -> None:
    make_run(people.ada, make_project(people.ada))
    worker = make_worker()
    run = started(worker) if begun else claimed(worker)
    assert actions.sweep_runs(SYSTEM) == 0
    silence(run)
    assert actions.sweep_runs(SYSTEM) == 1
    row = fresh(run)
    assert (row.state, row.message) == (RunState.LOST, f"The worker {worker.name} was lost, and the run with it.")
    assert row.run is not None and row.run.status == "FAILED"
    assert actions.sweep_runs(SYSTEM) == 0


def test_with_attempts_left_it_is_queued_again(people: People) -> None:
    make_run(people.ada, make_project(people.ada), retries=1)
    first = started(make_worker())
    silence(first)
    assert actions.end_lost_runs(SYSTEM) == 1
    assert fresh(first).state == RunState.QUEUED
    rested(first)
    second = started(make_worker())
    assert (second.pk, second.attempt) == (first.pk, 2)
    silence(second)
    actions.end_lost_runs(SYSTEM)
    assert fresh(first).state == RunState.LOST


def test_a_worker_that_spoke_again_in_time_keeps_its_run(people: People) -> None:
    make_run(people.ada, make_project(people.ada))
    worker = make_worker()
    run = started(worker)
    silence(run)
    known = ProjectRun.objects.get(pk=run.pk)
    actions.beat(SYSTEM, worker=worker, held=[actions.Held(run.pk, run.fence)])
    with pytest.raises(actions.Fenced):
        ending = actions.Ending(RunState.LOST, "silent")
        actions.end_attempt(SYSTEM, run=known, ending=ending, if_silent=True)
    assert fresh(run).state == RunState.RUNNING


def test_a_run_that_was_cancelled_and_lost_is_cancelled(people: People) -> None:
    make_run(people.ada, make_project(people.ada), retries=3)
    run = started(make_worker())
    actions.cancel_run(people.ada.actor, run=run, reason="enough")
    silence(run)
    actions.sweep_runs(SYSTEM)
    assert (fresh(run).state, fresh(run).message) == (RunState.CANCELLED, "Cancelled by ada: enough")


def test_a_run_that_waits_although_it_was_cancelled_is_ended(people: People) -> None:
    run = make_run(people.ada, make_project(people.ada))
    ProjectRun.objects.filter(pk=run.pk).update(cancel_ms=1, cancelled_by="max")
    assert claim(make_worker()) is None
    assert actions.sweep_runs(SYSTEM) == 1
    assert (fresh(run).state, fresh(run).message) == (RunState.CANCELLED, "Cancelled by max.")


@pytest.mark.parametrize("own", [True, False])
def test_a_run_that_its_worker_does_not_end_in_time_is_ended(people: People, own: bool) -> None:
    make_run(people.ada, make_project(people.ada, limits={"seconds": 10} if own else {}))
    run = started(make_worker())
    with override_settings(PROJECT_TIME_LIMIT=3600 if own else 10):
        shift(run, 69)
        assert actions.sweep_runs(SYSTEM) == 0
        shift(run, 2)
        assert actions.sweep_runs(SYSTEM) == 1
    assert fresh(run).state == RunState.FAILED
    assert "longer than the 10 s" in fresh(run).message


def test_a_run_that_is_prepared_has_the_time_of_that(people: People) -> None:
    """Its own limit is of its command, and an environment may take longer to build."""
    make_run(people.ada, make_project(people.ada, limits={"seconds": 10}))
    run = claimed(make_worker())
    shift(run, PREPARING_SECONDS + 50)
    assert actions.sweep_runs(SYSTEM) == 0
    shift(run, 20)
    assert actions.sweep_runs(SYSTEM) == 1
    assert fresh(run).state == RunState.FAILED
    assert f"Preparing it took longer than the {PREPARING_SECONDS} s" in fresh(run).message


def shift(run: ProjectRun, seconds: int) -> None:
    for name in ("claimed_ms", "started_ms"):
        held = ProjectRun.objects.filter(pk=run.pk, **{f"{name}__isnull": False})
        held.update(**{name: F(name) - seconds * 1000})


def test_what_waits_or_has_ended_is_left_alone(people: People) -> None:
    project = make_project(people.ada)
    make_run(people.ada, project)
    ended = started(make_worker())
    end(ended, RunState.FINISHED)
    waiting = make_run(people.ada, project)
    ProjectRun.objects.update(queued_ms=1)
    assert actions.sweep_runs(SYSTEM) == 0
    assert (fresh(ended).state, fresh(waiting).state) == (RunState.FINISHED, RunState.QUEUED)


def test_silent_workers_count_as_stopped_and_are_forgotten_after_a_day(people: People) -> None:
    alive, silent, old = make_worker(), make_worker(), make_worker()
    day = 24 * 3_600_000
    Worker.objects.filter(pk=silent.pk).update(seen_ms=silent.seen_ms - 61_000)
    Worker.objects.filter(pk=old.pk).update(stopped_ms=old.seen_ms - day - 1000)
    actions.sweep_runs(SYSTEM)
    assert dict(Worker.objects.values_list("pk", "stopped_ms"))[alive.pk] is None
    assert dict(Worker.objects.values_list("pk", "stopped_ms"))[silent.pk] is not None
    assert not Worker.objects.filter(pk=old.pk).exists()
    actions.beat(SYSTEM, worker=silent, held=[])
    assert dict(Worker.objects.values_list("pk", "stopped_ms"))[silent.pk] is None


def test_a_run_keeps_the_name_of_a_worker_that_is_forgotten(people: People) -> None:
    make_run(people.ada, make_project(people.ada))
    run = started(make_worker())
    end(run, RunState.FINISHED)
    Worker.objects.update(stopped_ms=1)
    actions.sweep_runs(SYSTEM)
    assert (fresh(run).worker, fresh(run).worker_name) == (None, run.worker_name)
