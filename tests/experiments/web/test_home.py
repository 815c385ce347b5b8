from __future__ import annotations

from django.test import Client
from pytest_django import DjangoAssertNumQueries

from apps.accounts.actions import create_user
from apps.core.actor import system_actor
from tests.experiments.runs import make_run
from tests.personas import PASSWORD, People, Persona


def test_shows_the_newest_runs_of_the_team(people: People) -> None:
    make_run(people.ben, name="brave-crane", experiment="iris")
    page = people.vera.browser().get("/").content.decode()
    assert "brave-crane" in page
    assert "iris" in page


def test_shows_nothing_of_other_teams(people: People) -> None:
    make_run(people.ada, name="brave-crane")
    page = people.cleo.browser().get("/").content.decode()
    assert "brave-crane" not in page


def test_before_the_first_run_it_says_what_to_paste(people: People) -> None:
    page = people.cleo.browser().get("/").content.decode()
    for text in ("MLFLOW_TRACKING_URI=http://testserver", "MLFLOW_TRACKING_TOKEN", "/settings/tokens/", "log_metric"):
        assert text in page


def test_somebody_in_no_team_is_told_so(people: People) -> None:
    user = create_user(system_actor(), username="nomad", password=PASSWORD)
    assert "You are in no team" in Persona(user, "").browser().get("/").content.decode()


def test_anonymous_people_are_sent_to_sign_in() -> None:
    answer = Client().get("/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login/")


def test_other_verbs(people: People) -> None:
    assert people.ada.browser().post("/").status_code == 405


def test_statements_do_not_grow(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    browser = people.ada.browser()
    for round_ in range(2):
        for number in range(5):
            make_run(people.ada, experiment=f"e{round_}{number}")
        with django_assert_num_queries(8):
            browser.get("/")
