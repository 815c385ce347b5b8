"""Django's admin shows projects and runs: pages to look at, none to write."""

from __future__ import annotations

import pytest
from django.db.models import Model

from apps.projects import models as projects
from tests.personas import People
from tests.projects.making import end, make_project, make_run


@pytest.fixture
def made(people: People) -> None:
    end(make_run(people.ada, make_project(people.ada)))
    projects.Secret.objects.create(team=people.forge, name="KEY", sealed="abc-sealed", created_ms=1, updated_ms=1)


@pytest.mark.parametrize(
    "model", [projects.Project, projects.ProjectRun, projects.Queue, projects.Worker, projects.Secret]
)
@pytest.mark.usefixtures("made")
def test_rows_can_be_looked_at_and_not_changed(people: People, model: type[Model]) -> None:
    browser, place = people.root.browser(), f"/admin/projects/{model._meta.model_name}/"
    row = f"{place}{model._default_manager.values_list('pk', flat=True)[0]}/"
    for page in (place, f"{place}?q=a", f"{row}change/"):
        answer = browser.get(page)
        assert answer.status_code == 200 and "abc-sealed" not in answer.content.decode(), page
    assert browser.get(f"{place}add/").status_code == 403
    for page in (f"{row}change/", f"{row}delete/"):
        assert browser.post(page, {"post": "yes"}).status_code == 403, page
    assert people.max.browser().get(place).status_code == 403


@pytest.mark.parametrize("name", ["archive", "build", "quota", "schedule"])
def test_lists(people: People, name: str) -> None:
    assert people.root.browser().get(f"/admin/projects/{name}/?q=a").status_code == 200
