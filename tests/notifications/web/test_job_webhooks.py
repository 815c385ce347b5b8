"""Webhooks that start runs, in the browser and in the API."""

from __future__ import annotations

from typing import Any

import pytest

from apps.notifications.models import Webhook
from apps.projects.models import Project, ProjectRun
from tests.api import call
from tests.notifications.web.test_webhooks import LIST, NEW, URL, form
from tests.personas import People
from tests.projects.making import make_project
from tests.registry.models import make_model


@pytest.fixture
def project(people: People) -> Project:
    make_model(people.ada)
    return make_project(people.ada)


def job_form(project: Project, **more: Any) -> dict[str, Any]:
    return form(**{"does": "job", "url": "", "job": str(project.pk), "job_entry_point": "check", **more})


def test_one_that_starts_a_run_is_made_and_shown(people: People, project: Project) -> None:
    browser = people.ada.browser()
    assert "forge/iris" in browser.get(NEW).content.decode()
    answer = browser.post(NEW, job_form(project))
    hook = Webhook.objects.get()
    assert answer["Location"] == f"{LIST}{hook.uid}/"
    assert (hook.job, hook.job_entry_point, hook.url) == (str(project.pk), "check", "")
    page = browser.get(answer["Location"]).content.decode()
    assert '<a href="/projects/forge/iris/">forge/iris</a>' in page and "Receiver" not in page
    assert browser.get(LIST).status_code == 200


def test_a_test_starts_one(people: People, project: Project) -> None:
    browser = people.ada.browser()
    browser.post(NEW, job_form(project))
    answer = browser.post(f"{LIST}{Webhook.objects.get().uid}/test/", follow=True)
    assert "answered 200" in answer.content.decode()
    assert ProjectRun.objects.get().entry_point == "check"


def test_it_is_turned_into_one_that_calls_and_back(people: People, project: Project) -> None:
    browser = people.ada.browser()
    browser.post(NEW, job_form(project))
    hook = Webhook.objects.get()
    address = f"{LIST}{hook.uid}/edit/"
    assert 'value="check"' in browser.get(address).content.decode()
    assert browser.post(address, form(does="url", url=URL)).status_code == 302
    hook.refresh_from_db()
    assert (hook.url, hook.job) == (URL, "")
    assert browser.post(address, job_form(project, job_entry_point="")).status_code == 302
    hook.refresh_from_db()
    assert (hook.url, hook.job, hook.job_entry_point) == ("", str(project.pk), "")


def test_saving_what_is_unchanged_keeps_it(people: People, project: Project) -> None:
    browser = people.ada.browser()
    browser.post(NEW, job_form(project))
    hook = Webhook.objects.get()
    assert browser.post(f"{LIST}{hook.uid}/edit/", job_form(project, description="new")).status_code == 302
    hook.refresh_from_db()
    assert (hook.job, hook.description, hook.owner) == (str(project.pk), "new", people.ada.user)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"job": ""}, "This field is required"),
        ({"job": "999"}, "Select a valid choice"),
        ({"job_entry_point": "none"}, "none"),
        ({"does": "url"}, "This field is required"),
        # Chats start nothing: for them the URL is what is missing.
        ({"dialect": "slack"}, "This field is required"),
    ],
)
def test_what_is_wrong_is_said_in_place(people: People, project: Project, given: dict[str, str], why: str) -> None:
    refused = people.ada.browser().post(NEW, job_form(project, **given))
    assert refused.status_code == 422
    assert why in refused.content.decode()
    assert not Webhook.objects.exists()


def test_only_projects_that_one_may_start_are_offered(people: People, project: Project) -> None:
    make_project(people.cleo, "hidden-one")
    assert "hidden-one" not in people.ada.browser().get(NEW).content.decode()
    refused = people.ada.browser().post(NEW, job_form(Project.objects.get(name="hidden-one")))
    assert refused.status_code == 422


def test_by_the_api(people: People, project: Project) -> None:
    given = {"name": "x", "kind": "registered_model", "object": "iris", "events": ["comment.created"]}
    made = call(people.ada, "POST", "webhooks/", {**given, "job": "forge/iris"}, expect=201)
    assert (made["job"], made["url"]) == (str(project.pk), "")
    changed = call(people.ada, "PATCH", f"webhooks/{made['id']}/", {"job": str(project.pk), "job_entry_point": "check"})
    assert changed["job_entry_point"] == "check"
    for wrong in ({}, {"job": "forge/iris", "url": URL}):
        answer = call(people.ada, "POST", "webhooks/", {**given, **wrong}, expect=400)
        assert "a URL to call, or a job to start" in answer["message"]
    call(people.ada, "POST", "webhooks/", {**given, "job": "forge/none"}, expect=404)
