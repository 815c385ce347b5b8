from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.experiments.actions.logged_models import create_logged_model
from apps.experiments.actions.runs import delete_run
from apps.experiments.models import Experiment, Run
from tests.experiments.runs import make_run
from tests.personas import People


def experiment_of(run_id: str) -> Experiment:
    return Run.objects.select_related("experiment").get(run_id=run_id).experiment


def test_models_tell_which_run_made_them(people: People) -> None:
    run_id = make_run(people.ada, name="brave-crane")
    experiment = experiment_of(run_id)
    model = create_logged_model(people.ada.actor, experiment=experiment, name="svm", source_run_id=run_id)
    page = people.vera.browser().get(f"/experiments/{experiment.pk}/models/").content.decode()
    for text in ("svm", "brave-crane", model.model_id, "Pending"):
        assert text in page


def test_without_models_it_says_how_to_log_one(people: People) -> None:
    experiment = experiment_of(make_run(people.ada))
    assert "log_model" in people.vera.browser().get(f"/experiments/{experiment.pk}/models/").content.decode()


def test_the_name_of_a_run_that_one_may_not_read_stays_hidden(people: People) -> None:
    elsewhere = make_run(people.cleo, name="their-secret")
    experiment = experiment_of(make_run(people.ada))
    create_logged_model(people.ada.actor, experiment=experiment, name="svm", source_run_id=elsewhere)
    assert "their-secret" not in people.ada.browser().get(f"/experiments/{experiment.pk}/models/").content.decode()


@pytest.mark.parametrize("tab", ["", "models/", "trash/"])
def test_a_deleted_experiment_says_so_on_each_tab(people: People, tab: str) -> None:
    experiment = experiment_of(make_run(people.ada))
    people.ada.browser().post(f"/experiments/{experiment.pk}/delete/")
    page = people.vera.browser().get(f"/experiments/{experiment.pk}/{tab}").content.decode()
    assert "lies in the trash" in page
    assert "/delete/" not in page


@pytest.mark.parametrize(("who", "share", "edit", "delete"), [("ada", 1, 1, 1), ("ben", 0, 1, 0), ("vera", 0, 0, 0)])
def test_offers_what_one_may_do(people: People, who: str, share: int, edit: int, delete: int) -> None:
    experiment = experiment_of(make_run(people.ada))
    page = getattr(people, who).browser().get(f"/experiments/{experiment.pk}/").content.decode()
    here = f"/experiments/{experiment.pk}"
    assert [f"/share/experiment/{experiment.pk}/" in page, f"{here}/edit/" in page, f"{here}/delete/" in page] == [
        bool(share),
        bool(edit),
        bool(delete),
    ]


@pytest.mark.parametrize(("tab", "statements"), [("models/", 11), ("trash/", 10)])
def test_statements_do_not_grow(
    people: People, django_assert_num_queries: DjangoAssertNumQueries, tab: str, statements: int
) -> None:
    run_id = make_run(people.ada)
    experiment = experiment_of(run_id)
    browser = people.ada.browser()
    browser.get("/")
    for _ in range(2):
        for _ in range(6):
            create_logged_model(people.ada.actor, experiment=experiment, source_run_id=run_id)
            gone = Run.objects.select_related("experiment__team").get(run_id=make_run(people.ada))
            delete_run(people.ada.actor, run=gone)
        with django_assert_num_queries(statements):
            browser.get(f"/experiments/{experiment.pk}/{tab}")
