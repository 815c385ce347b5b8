from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.actions.run_tokens import create_run_token
from apps.audit.models import Event
from apps.experiments import actions as experiments
from apps.notifications.models import Notification
from apps.projects import actions
from apps.projects.actions import Ending, Fenced
from apps.projects.models import Attempt, Outcome, ProjectRun, RunState
from tests.personas import People
from tests.projects.making import make_project, make_run
from tests.projects.queue.making import SYSTEM, claim, claimed, end, fresh, make_worker, rested, started

pytestmark = pytest.mark.django_db

ENDINGS = {
    RunState.FINISHED: "FINISHED",
    RunState.FAILED: "FAILED",
    RunState.LOST: "FAILED",
    RunState.CANCELLED: "KILLED",
}


@pytest.mark.parametrize(("state", "tracking"), ENDINGS.items())
def test_an_end_is_written_to_the_row_the_tracking_run_and_the_log(
    people: People, state: RunState, tracking: str
) -> None:
    make_run(people.ada, make_project(people.ada))
    run = started(make_worker())
    end(run, state, "because", 3)
    row = fresh(run)
    assert (row.state, row.message, row.exit_code, row.lease_until_ms) == (state, "because", 3, None)
    assert row.run is not None
    assert (row.run.status, row.run.end_ms) == (tracking, row.ended_ms)
    event = Event.objects.get(code="project_run.ended")
    assert event.after == {"state": state.value, "exit_code": 3, "why": "because"}
    assert run.state == state


@pytest.mark.parametrize("again", list(ENDINGS))
def test_what_has_ended_ends_once(people: People, again: RunState) -> None:
    make_run(people.ada, make_project(people.ada), retries=3, retries_failures=True)
    run = started(make_worker())
    end(run, RunState.FINISHED)
    with pytest.raises(Fenced):
        end(run, again, "late")
    assert fresh(run).state == RunState.FINISHED
    assert Event.objects.filter(code="project_run.ended").count() == 1


@pytest.mark.parametrize("again", list(ENDINGS))
def test_whoever_comes_back_after_the_next_attempt_began_changes_nothing(people: People, again: RunState) -> None:
    make_run(people.ada, make_project(people.ada), retries=1)
    late = started(make_worker())
    end(ProjectRun.objects.get(pk=late.pk), RunState.LOST, "gone")
    rested(late)
    run = claimed(make_worker())
    with pytest.raises(Fenced):
        end(late, again)
    row = fresh(run)
    assert (row.state, row.fence, row.attempt) == (RunState.PREPARING, 2, 2)


def test_one_that_finished_and_was_taken_for_lost_is_not_done_again(people: People) -> None:
    make_run(people.ada, make_project(people.ada), retries=1)
    late = started(make_worker())
    end(ProjectRun.objects.get(pk=late.pk), RunState.LOST, "gone")
    assert fresh(late).state == RunState.QUEUED
    end(late, RunState.FINISHED, code=0)
    row = fresh(late)
    assert (row.state, row.worker_name, row.started_ms) == (RunState.FINISHED, late.worker_name, late.started_ms)
    assert not Attempt.objects.exists()
    rested(late)
    assert claim(make_worker()) is None


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.LOST, RunState.CANCELLED])
def test_one_that_waits_for_its_next_attempt_hears_no_other_end(people: People, state: RunState) -> None:
    make_run(people.ada, make_project(people.ada), retries=1)
    late = started(make_worker())
    end(ProjectRun.objects.get(pk=late.pk), RunState.LOST, "gone")
    with pytest.raises(Fenced):
        end(late, state)
    assert fresh(late).state == RunState.QUEUED


def test_nobody_ends_a_run_that_nobody_has_begun(people: People) -> None:
    run = make_run(people.ada, make_project(people.ada))
    with pytest.raises(Fenced):
        end(run, RunState.FINISHED)
    assert fresh(run).state == RunState.QUEUED


def test_a_lost_run_is_queued_again_after_a_rest_that_doubles(people: People) -> None:
    make_run(people.ada, make_project(people.ada), retries=2, backoff_s=10)
    rests = []
    for _ in range(2):
        run = started(make_worker())
        end(run, RunState.LOST, "the power went")
        row = fresh(run)
        assert (row.state, row.message, row.worker, row.started_ms) == (RunState.QUEUED, "the power went", None, None)
        assert row.run is not None and row.run.status == "SCHEDULED"
        assert claim(make_worker()) is None
        ended_ms = Attempt.objects.latest("fence").ended_ms
        rests.append(round((row.not_before_ms - ended_ms) / 1000))
        rested(run)
    assert rests == [10, 20]
    run = started(make_worker())
    end(run, RunState.LOST)
    assert fresh(run).state == RunState.LOST
    kept = [(one.number, one.outcome, one.message) for one in Attempt.objects.all()]
    assert kept == [(1, Outcome.LOST, "the power went"), (2, Outcome.LOST, "the power went")]


def test_a_rest_is_an_hour_at_most(people: People) -> None:
    make_run(people.ada, make_project(people.ada), retries=20, backoff_s=86_400)
    run = started(make_worker())
    end(run, RunState.LOST)
    assert round((fresh(run).not_before_ms - Attempt.objects.get().ended_ms) / 1000) == 3600


@pytest.mark.parametrize(("asked", "state"), [(False, RunState.FAILED), (True, RunState.QUEUED)])
def test_a_failure_is_tried_again_only_where_that_was_asked(people: People, asked: bool, state: RunState) -> None:
    make_run(people.ada, make_project(people.ada), retries=1, retries_failures=asked)
    run = started(make_worker())
    end(run, RunState.FAILED, "wrong", 7)
    assert fresh(run).state == state
    assert [one.exit_code for one in Attempt.objects.all()] == ([7] if asked else [])


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.LOST])
def test_what_was_cancelled_meanwhile_is_cancelled_and_not_tried_again(people: People, state: RunState) -> None:
    make_run(people.ada, make_project(people.ada), retries=5, retries_failures=True)
    run = started(make_worker())
    actions.cancel_run(people.max.actor, run=ProjectRun.objects.get(pk=run.pk), reason="enough")
    assert run.cancel_ms is None, "the worker has not heard of it"
    end(run, state, "killed", -15)
    row = fresh(run)
    assert (row.state, row.message, row.exit_code) == (RunState.CANCELLED, "Cancelled by max: enough", -15)


def test_what_finished_before_the_cancel_reached_it_finished(people: People) -> None:
    make_run(people.ada, make_project(people.ada))
    run = started(make_worker())
    actions.cancel_run(people.ada.actor, run=run)
    end(run, RunState.FINISHED, code=0)
    assert fresh(run).state == RunState.FINISHED


def test_a_worker_that_is_stopped_puts_its_run_back_at_once_and_uses_no_attempt_up(people: People) -> None:
    project = make_project(people.ada)
    make_run(people.ada, project)
    make_run(people.ada, project)
    run = started(make_worker())
    actions.return_run(SYSTEM, run=run, why="The worker was stopped.")
    row = fresh(run)
    assert (row.state, row.attempt, row.not_before_ms) == (RunState.QUEUED, 0, 0)
    again = claimed(make_worker())
    assert (again.pk, again.attempt, again.fence) == (run.pk, 1, 2)
    assert [(one.number, one.outcome) for one in Attempt.objects.all()] == [(1, Outcome.RETURNED)]
    with pytest.raises(Fenced):
        actions.return_run(SYSTEM, run=run, why="again")


def test_a_cancelled_run_is_not_put_back(people: People) -> None:
    make_run(people.ada, make_project(people.ada))
    run = started(make_worker())
    actions.cancel_run(people.ada.actor, run=run)
    actions.return_run(SYSTEM, run=run, why="The worker was stopped.")
    assert fresh(run).state == RunState.CANCELLED


@pytest.mark.parametrize("state", [RunState.FINISHED, RunState.LOST])
def test_its_token_ends_with_the_attempt(people: People, state: RunState) -> None:
    make_run(people.ada, make_project(people.ada), retries=1)
    run = started(make_worker())
    token, _ = create_run_token(
        SYSTEM,
        user=people.ada.user,
        team=people.forge,
        experiment_id=run.experiment_id,
        project_run_id=run.pk,
        name="run",
        expires_at=timezone.now() + timedelta(hours=1),
    )
    ProjectRun.objects.filter(pk=run.pk).update(token=token)
    end(run, state)
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_an_end_reaches_a_tracking_run_in_the_trash_too(people: People) -> None:
    make_run(people.ada, make_project(people.ada))
    run = started(make_worker())
    assert run.run is not None
    experiments.delete_run(people.ada.actor, run=run.run)
    end(run, RunState.FINISHED)
    row = fresh(run)
    assert row.state == RunState.FINISHED
    assert row.run is not None and row.run.is_deleted and row.run.status == "FINISHED"


def test_a_run_whose_tracking_run_is_gone_for_good_still_ends(people: People) -> None:
    make_run(people.ada, make_project(people.ada))
    run = started(make_worker())
    ProjectRun.objects.filter(pk=run.pk).update(run=None)
    end(run, RunState.FAILED, "x" * 5000)
    assert (fresh(run).state, len(fresh(run).message)) == (RunState.FAILED, 2000)


@pytest.mark.parametrize(("state", "told"), [(RunState.FAILED, 1), (RunState.LOST, 1), (RunState.FINISHED, 0)])
def test_its_owner_hears_of_what_failed(people: People, state: RunState, told: int) -> None:
    make_run(people.ada, make_project(people.ada))
    end(started(make_worker()), state, "because")
    assert Notification.objects.filter(user=people.ada.user, topic="project.run_failed").count() == told


def test_its_owner_hears_of_what_finished_after_a_long_time(people: People) -> None:
    make_run(people.ada, make_project(people.ada))
    run = started(make_worker())
    ProjectRun.objects.filter(pk=run.pk).update(started_ms=(run.started_ms or 0) - 600_000)
    end(run, RunState.FINISHED)
    assert Notification.objects.filter(user=people.ada.user, topic="project.run_finished").count() == 1


def test_a_retry_is_no_news_and_a_cancel_is_where_somebody_else_did_it(people: People) -> None:
    project = make_project(people.ada)
    make_run(people.ada, project, retries=1)
    end(started(make_worker()), RunState.LOST)
    for who in (people.ada, people.max):
        actions.cancel_run(who.actor, run=make_run(people.ada, project))
        assert Notification.objects.filter(user=people.ada.user).count() == (who is people.max)


def test_ending_costs_a_constant_number_of_statements(people: People) -> None:
    project = make_project(people.ada)
    counts = set()
    for count in (1, 4):
        for _ in range(count):
            make_run(people.ada, project)
        run = started(make_worker())
        with CaptureQueriesContext(connection) as captured:
            end(run, RunState.FINISHED)
        counts.add(len(captured))
    assert len(counts) == 1
    assert counts.pop() <= 10


def test_only_waiting_runs_are_ended_while_they_wait(people: People) -> None:
    make_run(people.ada, make_project(people.ada))
    run = started(make_worker())
    with pytest.raises(Fenced):
        actions.end_waiting(SYSTEM, run=run, ending=Ending(RunState.CANCELLED))
