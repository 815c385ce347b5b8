from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.projects import actions
from apps.projects.asking.submission import Submission
from apps.projects.models import Project, Schedule
from tests.personas import People, Persona
from tests.projects.making import end, make_project, make_run

URL = "/projects/forge/iris/schedules/"
HTMX = {"HX-Request": "true"}
FORM = {
    "name": "nightly",
    "cron": "0 3 * * mon-fri",
    "timezone": "Europe/Berlin",
    "overlap": "queue",
    "missed": "once",
    "entry_point": "main",
    "param.alpha": "0.9",
    "queue": "default",
    "priority": "70",
    "gpus": "0",
    "retries": "1",
    "backoff_s": "10",
}


@pytest.fixture
def project(people: People) -> Project:
    return make_project(people.ada)


def make(who: Persona, project: Project, **plan: Any) -> Schedule:
    return actions.create_schedule(
        who.actor, project=project, plan=actions.Plan(**{"name": "nightly", "cron": "0 3 * * *", **plan})
    )


def text_of(client: Client, url: str = URL, **more: Any) -> str:
    response = client.get(url, **more)
    assert response.status_code == 200
    return response.content.decode()


def test_a_project_without_schedules_says_what_they_are_for(people: People, project: Project) -> None:
    assert "No schedules yet" in text_of(people.vera.browser())
    assert "New schedule" not in text_of(people.vera.browser())
    assert "New schedule" in text_of(people.ben.browser())


def test_a_schedule_is_made(people: People, project: Project) -> None:
    browser = people.ben.browser()
    assert "0 3 * * *" in text_of(browser, URL + "new/")
    assert browser.post(URL + "new/", FORM)["Location"] == URL
    made = Schedule.objects.get()
    assert (made.owner, made.cron, made.timezone, made.overlap, made.missed) == (
        people.ben.user,
        "0 3 * * mon-fri",
        "Europe/Berlin",
        "queue",
        "once",
    )
    asks = Submission.from_json(made.asks)
    assert (asks.entry_point, asks.params, asks.priority, asks.retries) == ("main", {"alpha": "0.9"}, 70, 1)
    shown = text_of(browser)
    assert "At 03:00, Monday through Friday" in shown
    assert "none yet" in shown


def test_it_is_changed_with_what_it_has(people: People, project: Project) -> None:
    project.limits = {"seconds": 77}
    project.save()
    asks = Submission(entry_point="main", params={"alpha": "0.3"}, priority=90)
    made = make(people.ada, project, asks=asks, timezone="Asia/Tokyo")
    url = f"{URL}{made.pk}/"
    shown = text_of(people.ben.browser(), url)
    assert 'value="0.3"' in shown and 'value="90"' in shown
    assert '<option value="Asia/Tokyo" selected>' in shown
    # The project's own limit goes on holding as the project has it then.
    assert 'placeholder="77"' in shown and 'value="77"' not in shown
    assert people.ben.browser().post(url, FORM)["Location"] == URL
    made.refresh_from_db()
    assert (made.owner, made.cron) == (people.ben.user, "0 3 * * mon-fri")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"cron": "0 25 * * *"}, "hour: &#x27;25&#x27;"),
        ({"cron": ""}, "This field is required"),
        ({"timezone": "Mars"}, "Select a valid choice"),
        ({"name": ""}, "This field is required"),
        ({"param.alpha": "much"}, "alpha"),
        ({"queue": "gpu"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_said_beside_it(people: People, project: Project, given: dict[str, str], why: str) -> None:
    refused = people.ben.browser().post(URL + "new/", FORM | given)
    assert refused.status_code == 422
    assert why in refused.content.decode()
    assert not Schedule.objects.exists()


def test_a_name_that_is_taken_is_said_in_the_form(people: People, project: Project) -> None:
    make(people.ada, project)
    refused = people.ben.browser().post(URL + "new/", FORM)
    assert refused.status_code == 422
    assert "has a schedule" in refused.content.decode()


def test_the_next_five_times_are_shown_while_one_types(people: People, project: Project) -> None:
    browser = people.ben.browser()
    shown = text_of(browser, URL + "preview/?cron=0+3+*+*+*&timezone=Asia/Tokyo", headers=HTMX)
    assert "At 03:00" in shown and shown.count("03:00</time>") == 5 and "Asia/Tokyo" in shown
    assert "minute: " in text_of(browser, URL + "preview/?cron=x+*+*+*+*", headers=HTMX)
    assert "five fields" in text_of(browser, URL + "preview/?cron=%00", headers=HTMX)
    assert "no time zone" in text_of(browser, URL + "preview/?cron=0+3+*+*+*&timezone=%00x", headers=HTMX)


def test_it_rests_and_goes_on(people: People, project: Project) -> None:
    made = make(people.ada, project)
    browser = people.ben.browser()
    assert browser.post(f"{URL}{made.pk}/pause/", {"paused": "yes"})["Location"] == URL
    assert "paused" in text_of(browser)
    browser.post(f"{URL}{made.pk}/pause/", {"paused": "no"})
    assert not Schedule.objects.get().is_paused


def test_it_is_deleted_and_its_runs_stay(people: People, project: Project) -> None:
    made = make(people.ada, project)
    run = make_run(people.ada, project)
    type(run).objects.filter(pk=run.pk).update(schedule=made)
    assert f"/project-runs/{run.pk}/" in text_of(people.ada.browser())
    people.ben.browser().post(f"{URL}{made.pk}/delete/")
    assert not Schedule.objects.exists()
    run.refresh_from_db()
    assert run.schedule_id is None


def test_one_of_another_project_is_not_found_here(people: People, project: Project) -> None:
    made = make(people.ada, make_project(people.ada, "other"))
    assert people.ben.browser().get(f"{URL}{made.pk}/").status_code == 404
    assert people.ben.browser().post(f"{URL}{made.pk}/delete/").status_code == 404


def test_why_the_last_time_started_nothing_is_shown(people: People, project: Project) -> None:
    made = make(people.ada, project)
    Schedule.objects.filter(pk=made.pk).update(last_note="Permission denied: ada is disabled.")
    assert "ada is disabled" in text_of(people.vera.browser())


@pytest.mark.parametrize("count", [1, 4])
def test_the_number_of_statements_does_not_grow(
    people: People, project: Project, count: int, django_assert_num_queries: Any
) -> None:
    for place in range(count):
        made = make(people.ada, project, name=f"at {place}")
        run = end(make_run(people.ada, project))
        type(run).objects.filter(pk=run.pk).update(schedule=made)
    browser = people.vera.browser()
    browser.get(URL)
    with django_assert_num_queries(8):
        browser.get(URL)
