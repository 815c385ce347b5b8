"""What changes while a run waits: it doesn't begin, and says why."""

from __future__ import annotations

import pytest

from apps.accounts.models import Membership
from apps.experiments import actions as experiments
from apps.experiments.models import Run
from apps.projects import actions
from apps.projects.models import ProjectRun
from tests.personas import People
from tests.projects.making import make_project, make_run
from tests.projects.queue.making import claimed, make_worker

pytestmark = pytest.mark.django_db


def refusal(people: People) -> str:
    return actions.refusal_of(claimed(make_worker()))


def test_one_that_nothing_happened_to_begins(people: People) -> None:
    make_run(people.ada, make_project(people.ada))
    assert refusal(people) == ""


def test_its_owner_was_disabled(people: People) -> None:
    make_run(people.ada, make_project(people.ada))
    people.ada.user.is_active = False
    people.ada.user.save()
    assert refusal(people) == "ada, whose run it is, is disabled."


def test_its_owner_is_gone(people: People) -> None:
    run = make_run(people.ada, make_project(people.ada))
    ProjectRun.objects.filter(pk=run.pk).update(owner=None)
    assert refusal(people) == "ada, whose run it is, is gone."


def test_its_owner_left_the_team(people: People) -> None:
    make_run(people.ben, make_project(people.ada))
    Membership.objects.filter(user=people.ben.user).delete()
    assert "ben may not start runs of iris" in refusal(people)


def test_its_project_was_deleted(people: People) -> None:
    run = make_run(people.ada, make_project(people.ada))
    ProjectRun.objects.filter(pk=run.pk).update(project=None)
    assert refusal(people) == "The project iris was deleted."


def test_its_experiment_was_deleted(people: People) -> None:
    run = make_run(people.ada, make_project(people.ada))
    assert run.experiment is not None
    experiments.delete_experiment(people.ada.actor, experiment=run.experiment)
    assert refusal(people) == "Its experiment was deleted."


@pytest.mark.parametrize("for_good", [False, True])
def test_its_tracking_run_was_deleted(people: People, for_good: bool) -> None:
    run = make_run(people.ada, make_project(people.ada))
    assert run.run is not None
    if for_good:
        Run.objects.filter(pk=run.run.pk).delete()
    else:
        experiments.delete_run(people.ada.actor, run=run.run)
    assert refusal(people) == "Its tracking run was deleted."
