from __future__ import annotations

import pytest

from apps.audit.models import Event
from apps.core.errors import Conflict
from apps.projects import actions
from apps.projects.models import ProjectRun, RunState
from tests.personas import People
from tests.projects.making import make_project, make_run
from tests.projects.queue.making import claim, end, fresh, make_worker, started

pytestmark = pytest.mark.django_db


def test_a_waiting_run_is_cancelled_at_once(people: People) -> None:
    run = make_run(people.ada, make_project(people.ada))
    actions.cancel_run(people.max.actor, run=run, reason="wrong data")
    row = fresh(run)
    assert (row.state, row.cancelled_by, row.message) == (RunState.CANCELLED, "max", "Cancelled by max: wrong data")
    assert row.run is not None and row.run.status == "KILLED"
    codes = list(Event.objects.filter(object_kind="project_run").order_by("pk").values_list("code", "actor_name"))
    assert codes[1:] == [("project_run.cancel_asked", "max"), ("project_run.ended", "max")]
    assert claim(make_worker()) is None


def test_a_running_run_goes_on_until_its_worker_ends_it(people: People) -> None:
    make_run(people.ada, make_project(people.ada))
    run = started(make_worker())
    actions.cancel_run(people.ada.actor, run=run)
    assert fresh(run).state == RunState.RUNNING
    end(run, RunState.CANCELLED, "Cancelled by ada.", -15)
    assert fresh(run).state == RunState.CANCELLED


def test_asking_twice_changes_nothing(people: People) -> None:
    make_run(people.ada, make_project(people.ada))
    run = started(make_worker())
    actions.cancel_run(people.ada.actor, run=run, reason="first")
    actions.cancel_run(people.max.actor, run=run, reason="second")
    assert (fresh(run).cancelled_by, fresh(run).cancel_reason) == ("ada", "first")
    assert Event.objects.filter(code="project_run.cancel_asked").count() == 1


@pytest.mark.parametrize("state", [RunState.FINISHED, RunState.FAILED, RunState.LOST])
def test_what_has_ended_is_not_cancelled(people: People, state: RunState) -> None:
    make_run(people.ada, make_project(people.ada))
    run = started(make_worker())
    end(run, state)
    with pytest.raises(Conflict, match="ended already"):
        actions.cancel_run(people.ada.actor, run=run)
    assert fresh(run).cancel_ms is None


def test_what_a_run_started_is_cancelled_with_it(people: People) -> None:
    project = make_project(people.ada)
    parent = make_run(people.ada, project)
    held = started(make_worker())
    waiting, done = make_run(people.ada, project), make_run(people.ada, project)
    ProjectRun.objects.filter(pk__in=[waiting.pk, done.pk]).update(parent=parent)
    actions.cancel_run(people.ada.actor, run=done)
    grandchild = make_run(people.ada, project)
    ProjectRun.objects.filter(pk=grandchild.pk).update(parent=waiting)
    actions.cancel_run(people.ada.actor, run=held)
    states = [fresh(run).state for run in (held, waiting, grandchild)]
    assert states == [RunState.RUNNING, RunState.CANCELLED, RunState.CANCELLED]
    assert f"#{parent.pk}, which started it" in fresh(waiting).message
