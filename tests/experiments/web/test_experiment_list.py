from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.experiments import actions
from apps.experiments.models import Run
from tests.experiments.runs import make_run
from tests.personas import People

URL = "/experiments/"


def test_lists_the_experiments_of_the_team_with_their_runs(people: People) -> None:
    make_run(people.ada, experiment="iris")
    make_run(people.ben, experiment="iris")
    page = people.vera.browser().get(URL).content.decode()
    assert "iris" in page
    assert ">2</td>" in page.replace(" ", "")


def test_another_team_sees_none_of_it(people: People) -> None:
    make_run(people.ada, experiment="secret-plans")
    assert "secret-plans" not in people.cleo.browser().get(URL).content.decode()


def test_search_by_name_answers_htmx_with_the_table_alone(people: People) -> None:
    for name in ("iris", "wine"):
        actions.create_experiment(people.ada.actor, name=name)
    answer = people.ada.browser().get(URL, {"q": "WIN"}, headers={"HX-Request": "true"}).content.decode()
    assert "wine" in answer
    assert "iris" not in answer
    assert "<html" not in answer


@pytest.mark.parametrize("sort", ["name", "-name", "runs", "-last", "owner", "password", "-__class__"])
def test_any_sort_is_taken_and_unknown_ones_change_nothing(people: People, sort: str) -> None:
    make_run(people.ada)
    assert people.ada.browser().get(URL, {"sort": sort}).status_code == 200


def test_sorting_by_name(people: People) -> None:
    for name in ("b-second", "a-first"):
        actions.create_experiment(people.ada.actor, name=name)
    page = people.ada.browser().get(URL, {"sort": "name"}).content.decode()
    assert page.index("a-first") < page.index("b-second")


def test_without_experiments_it_says_what_to_paste(people: People) -> None:
    page = people.cleo.browser().get(URL).content.decode()
    assert "MLFLOW_TRACKING_URI=http://testserver" in page


def test_names_are_text(people: People) -> None:
    actions.create_experiment(people.ada.actor, name="<script>alert(1)</script>")
    assert "<script>alert(1)" not in people.ada.browser().get(URL).content.decode()


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_other_verbs(people: People, method: str) -> None:
    assert getattr(people.ada.browser(), method)(URL).status_code == 405


@pytest.mark.parametrize("query", [{"q": "\x00"}, {"page": "-1"}, {"page": "abc"}, {"q": "x" * 100_000}])
def test_odd_input(people: People, query: dict[str, str]) -> None:
    assert people.ada.browser().get(URL, query).status_code == 200


def test_statements_do_not_grow_with_experiments(
    people: People, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser = people.ada.browser()
    for number in range(3):
        make_run(people.ada, experiment=f"e{number}")
    browser.get(URL)
    with django_assert_num_queries(8):
        browser.get(URL)
    for number in range(20):
        make_run(people.ada, experiment=f"f{number}")
    with django_assert_num_queries(8):
        browser.get(URL)


def test_picked_experiments_lead_to_a_comparison_of_their_newest_runs(people: People) -> None:
    ids = []
    for name in ("a", "b"):
        runs = [make_run(people.ada, experiment=name) for _ in range(5)]
        ids.append(Run.objects.get(run_id=runs[0]).experiment_id)
    target = people.vera.browser().get("/experiments/compare/", {"experiment": ids})["Location"]
    assert target.startswith("/compare/?runs=")
    assert len(target.partition("=")[2].split(",")) == 6
    assert people.cleo.browser().get("/experiments/compare/", {"experiment": ids})["Location"] == "/compare/?runs="
