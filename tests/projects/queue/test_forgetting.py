"""A team goes when nothing of it is left; what is left of runs that ended holds nobody up."""

from __future__ import annotations

import pytest

from apps.accounts import actions as accounts
from apps.accounts.models import Team
from apps.core.errors import Conflict
from apps.experiments.models import Experiment, Run
from apps.projects import actions
from apps.projects.models import Archive, ProjectRun, RunState, SourceKind
from tests.personas import People
from tests.projects.making import NOW_MS, make_project, make_run
from tests.projects.queue.making import end, make_worker, started

pytestmark = pytest.mark.django_db


def test_a_team_with_runs_is_held_until_its_projects_and_experiments_are_gone(people: People) -> None:
    archive = Archive.objects.create(team=people.forge, digest="d" * 64, bytes=1, files=1, created_ms=NOW_MS)
    project = make_project(people.ada, source_kind=SourceKind.ARCHIVE, source_uri="", archive=archive)
    make_run(people.ada, project)
    end(started(make_worker()), RunState.FINISHED)
    with pytest.raises(Conflict, match="still holds"):
        accounts.delete_team(people.root.actor, team=people.forge)
    actions.delete_project(people.ada.actor, project=project)
    with pytest.raises(Conflict, match="still holds"):
        accounts.delete_team(people.root.actor, team=people.forge)
    assert ProjectRun.objects.exists(), "what is refused changes nothing"
    Run.objects.all().delete()
    Experiment.objects.filter(team=people.forge).delete()
    accounts.delete_team(people.root.actor, team=people.forge)
    assert not Team.objects.filter(name="forge").exists()
    assert not ProjectRun.objects.exists()
    assert not Archive.objects.exists()
