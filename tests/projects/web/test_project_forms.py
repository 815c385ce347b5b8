from __future__ import annotations

from typing import Any

import pytest

from apps.audit.models import Event
from apps.core.actor import Level
from apps.projects.models import Project, Queue, Secret
from tests.personas import People
from tests.projects.archives import PROJECT
from tests.projects.making import make_experiment, make_project
from tests.projects.test_granted import grant
from tests.projects.web.test_project_pages import PAGE, text_of, upload
from tests.registry.web.asking import HTMX

SETTINGS = f"{PAGE}settings/"


def test_defaults_are_set(people: People) -> None:
    project = make_project(people.ada)
    Queue.objects.create(name="gpu", created_ms=1)
    Secret.objects.create(team=people.forge, name="KEY", sealed="x", created_ms=1, updated_ms=1)
    experiment = make_experiment(people.ada, "other")
    sent: dict[str, Any] = {
        "experiment": str(experiment.pk),
        "queue": "gpu",
        "max_running": "2",
        "env_vars.name": ["MODE", "", "LEVEL"],
        "env_vars.value": ["fast", "", ""],
        "secrets": ["KEY"],
        "seconds": "60",
        "cpus": "1.5",
        "no_network": "on",
    }
    answer = people.ben.browser().post(SETTINGS, sent, follow=True)
    assert "Saved" in answer.content.decode()
    project.refresh_from_db()
    assert (project.experiment, project.queue, project.max_running) == (experiment, "gpu", 2)
    assert (project.env_vars, project.secrets) == ({"MODE": "fast", "LEVEL": ""}, ["KEY"])
    assert project.limits == {"seconds": 60, "cpus": 1.5, "network": False}
    event = Event.objects.get(code="project.changed")
    assert event.after is not None and event.after["env_vars"] == ["LEVEL", "MODE"]
    page = text_of(people.vera, SETTINGS)
    assert 'value="fast"' in page and "Save" not in page and "disabled" in page


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"queue": "nowhere"}, "Select a valid choice"),
        ({"max_running": "0"}, "greater than or equal to 1"),
        ({"cpus": "many"}, "Enter a number"),
        ({"env_vars.name": ["PATH"], "env_vars.value": ["x"]}, "PATH"),
        ({"env_vars.name": ["1X"], "env_vars.value": ["x"]}, "1X"),
        ({"memory_mb": str(2**31)}, "memory_mb"),
        ({"experiment": "77777"}, "Select a valid choice"),
    ],
)
def test_defaults_that_are_refused(people: People, given: dict[str, Any], said: str) -> None:
    make_project(people.ada)
    answer = people.ben.browser().post(SETTINGS, {"experiment": "", "queue": "default"} | given)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Event.objects.filter(code="project.changed").exists()


def test_viewers_read_and_outsiders_see_nothing(people: People) -> None:
    make_project(people.ada)
    sent = {"experiment": "", "queue": "default"}
    assert people.vera.browser().post(SETTINGS, sent).status_code == 403
    assert people.cleo.browser().get(SETTINGS).status_code == 404
    assert people.cleo.browser().post(SETTINGS, sent).status_code == 404
    assert people.ben.browser().put(SETTINGS).status_code == 405


def test_a_project_is_renamed_and_described(people: People) -> None:
    project = make_project(people.ada)
    make_project(people.ada, "wine")
    browser = people.ben.browser()
    sent = {"name": "irises", "description": "# Head\n<script>alert(1)</script>"}
    assert browser.post(f"{PAGE}edit/", sent, headers=HTMX)["HX-Redirect"] == "/projects/forge/irises/"
    page = text_of(people.vera, "/projects/forge/irises/")
    assert "<h1>Head</h1>" in page and "<script>alert" not in page
    taken = browser.post("/projects/forge/irises/edit/", {"name": "wine", "description": ""}, headers=HTMX)
    assert taken.status_code == 422 and "has a project named" in taken.content.decode()
    assert people.vera.browser().get("/projects/forge/irises/edit/").status_code == 403
    project.refresh_from_db()
    assert project.name == "irises"


def test_another_source_is_read_anew(people: People) -> None:
    project = make_project(people.ada)
    browser = people.ben.browser()
    assert "https://git.example/iris.git" in text_of(people.ben, f"{PAGE}source/")
    sent = {"file": upload({"MLproject": PROJECT}), "subfolder": ""}
    assert browser.post(f"{PAGE}source/?from=archive", sent)["Location"] == PAGE
    project.refresh_from_db()
    assert project.archive is not None and project.source_uri == ""
    assert project.document is not None and project.document["name"] == "steps"
    sent = {"file": upload({"x/MLproject": PROJECT, "b.txt": ""}), "subfolder": "nowhere"}
    refused = browser.post(f"{PAGE}source/?from=archive", sent)
    assert refused.status_code == 422 and "holds no file MLproject" in refused.content.decode()
    assert browser.post(f"{PAGE}source/?from=git", {"address": "file:///etc"}).status_code == 422
    assert people.vera.browser().get(f"{PAGE}source/").status_code == 403


def test_reading_again(people: People) -> None:
    project = make_project(people.ada, read_error="It was away.")
    assert people.vera.browser().post(f"{PAGE}read/").status_code == 403
    assert people.ben.browser().get(f"{PAGE}read/").status_code == 405
    assert people.ben.browser().post(f"{PAGE}read/")["Location"] == PAGE
    project.refresh_from_db()
    assert (project.read_ms, project.read_error) == (None, "")
    assert project.document is not None
    assert Project.objects.count() == 1


def test_saving_leaves_what_the_form_does_not_show(people: People) -> None:
    """Who manages a project of another team sees neither its secrets nor its experiment in their lists."""
    project = make_project(people.ada)
    Secret.objects.create(team=people.forge, name="KEY", sealed="x", created_ms=1, updated_ms=1)
    project.experiment, project.secrets = make_experiment(people.ada, "own"), ["KEY"]
    project.save()
    grant(people.cleo, project, Level.MANAGE)
    browser = people.cleo.browser()
    shown = text_of(people.cleo, SETTINGS)
    assert f'value="{project.experiment.pk}" selected' in shown and "KEY" not in shown.partition("<form")[2]
    sent = {"experiment": str(project.experiment.pk), "queue": "default", "max_running": "3"}
    assert browser.post(SETTINGS, sent).status_code == 302
    project.refresh_from_db()
    assert (project.secrets, project.max_running) == (["KEY"], 3)
    assert project.experiment.name == "own"
