"""A run that starts others: with its own token, as children in its own project and experiment."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts import actions
from apps.core.actor import system_actor
from apps.projects.models import Project, ProjectRun
from slipway.paths import DataFolder
from tests.api import call, names
from tests.personas import People, Persona
from tests.projects.api.test_archives import send
from tests.projects.making import make_project, make_run
from tests.projects.queue.making import claim, make_worker

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _data(settings: Any, tmp_path: Path) -> None:
    settings.DATA = DataFolder(tmp_path)
    settings.DATA.make()


@pytest.fixture
def parent(people: People) -> ProjectRun:
    return make_run(people.ada, make_project(people.ada))


def code_of(people: People, run: ProjectRun) -> Persona:
    """The code of a run of Ada's, which has its token and nothing else."""
    assert run.experiment_id is not None
    _, text = actions.create_run_token(
        system_actor(),
        user=people.ada.user,
        team=people.forge,
        experiment_id=run.experiment_id,
        project_run_id=run.pk,
        project_id=run.project_id,
        name="run",
        expires_at=timezone.now() + timedelta(hours=1),
    )
    return Persona(people.ada.user, str(text))


def test_it_sends_files_and_starts_them_as_a_child(people: People, parent: ProjectRun) -> None:
    code = code_of(people, parent)
    assert parent.run is not None
    archive = send(people.ada, token=code.token)
    assert archive.status_code == 201
    asked = {"archive": int(archive.json()["id"]), "parent_run_id": parent.run.run_id, "params": {"c": "1"}}
    child = call(code, "POST", "project-runs/", asked, expect=201)
    assert (child["parent_id"], child["project"]) == (str(parent.pk), str(parent.project_id))
    assert (child["experiment_id"], child["owner"]) == (str(parent.experiment_id), "ada")
    assert Project.objects.count() == 1
    assert set(names(call(code, "GET", "project-runs/"), "id")) == {child["id"], str(parent.pk)}
    assert call(code, "GET", f"project-runs/{child['id']}/")["state"] == "queued"
    assert call(code, "POST", f"project-runs/{child['id']}/cancel/")["state"] == "cancelled"


def test_it_starts_nothing_once_it_is_cancelled(people: People, parent: ProjectRun) -> None:
    code = code_of(people, parent)
    assert claim(make_worker()) is not None
    call(people.ada, "POST", f"project-runs/{parent.pk}/cancel/")
    refused = call(code, "POST", "project-runs/", {"project": parent.project_id}, expect=409)
    assert "was cancelled" in str(refused)
    assert ProjectRun.objects.count() == 1


def test_it_starts_nothing_elsewhere(people: People, parent: ProjectRun) -> None:
    code = code_of(people, parent)
    other = make_project(people.ada, "other")
    call(code, "POST", "project-runs/", {"project": other.pk}, expect=404)
    call(code, "POST", "project-runs/", {"project": parent.project_id, "experiment_name": "new"}, expect=403)
    call(code, "GET", f"project-runs/{make_run(people.ada, other).pk}/", expect=404)
    call(code, "POST", "queues/", {"name": "mine"}, expect=403)
    call(code, "POST", f"project-runs/{parent.pk}/again/", expect=403)
