from __future__ import annotations

import pytest

from apps.audit.models import Event
from apps.experiments import actions
from apps.experiments.models import Experiment
from apps.experiments.selectors import overview
from tests.personas import People


def make(people: People, name: str = "iris") -> Experiment:
    return actions.create_experiment(people.ada.actor, name=name)


def test_create_with_a_description(people: People) -> None:
    answer = people.ben.browser().post("/experiments/new/", {"name": "wine", "note": "**red**"})
    made = Experiment.objects.get(name="wine")
    assert answer["Location"] == f"/experiments/{made.pk}/"
    assert overview.note_of(made) == "**red**"
    assert Event.objects.filter(code="experiment.created", object_name="wine", actor_name="ben").exists()


def test_the_dialog_is_told_where_to_go(people: People) -> None:
    answer = people.ben.browser().post("/experiments/new/", {"name": "wine"}, headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == f"/experiments/{Experiment.objects.get(name='wine').pk}/"


@pytest.mark.parametrize("name", ["", "   ", "x" * 501, "iris"])
def test_a_refused_name_comes_back_with_the_form(people: People, name: str) -> None:
    make(people)
    answer = people.ben.browser().post("/experiments/new/", {"name": name}, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert "field-errors" in answer.content.decode()
    assert Experiment.objects.exclude(name="Default").count() == 1


def test_a_viewer_may_not_create(people: People) -> None:
    assert people.vera.browser().post("/experiments/new/", {"name": "wine"}).status_code == 403
    assert "New experiment" not in people.vera.browser().get("/experiments/").content.decode()
    assert "New experiment" in people.ben.browser().get("/experiments/").content.decode()


def test_the_trash_offers_to_restore_what_one_may(people: People) -> None:
    actions.delete_experiment(people.ada.actor, experiment=make(people))
    pages = {who: getattr(people, who).browser().get("/experiments/trash/").content.decode() for who in ("max", "vera")}
    assert all("iris" in page for page in pages.values())
    assert ("Restore" in pages["max"], "Restore" in pages["vera"]) == (True, False)


def test_rename_and_describe(people: People) -> None:
    experiment = make(people)
    url = f"/experiments/{experiment.pk}/edit/"
    people.ben.browser().post(url, {"name": "iris-2", "note": "better"})
    experiment.refresh_from_db()
    assert (experiment.name, overview.note_of(experiment)) == ("iris-2", "better")


@pytest.mark.parametrize(("who", "status"), [("vera", 403), ("cleo", 404)])
def test_who_may_not_edit(people: People, who: str, status: int) -> None:
    experiment = make(people)
    browser = getattr(people, who).browser()
    assert browser.get(f"/experiments/{experiment.pk}/edit/").status_code == status
    assert browser.post(f"/experiments/{experiment.pk}/edit/", {"name": "x"}).status_code == status


def test_delete_asks_then_moves_to_the_trash_and_back(people: People) -> None:
    experiment = make(people)
    browser = people.ada.browser()
    url = f"/experiments/{experiment.pk}/delete/"
    assert "iris" in browser.get(url).content.decode()
    experiment.refresh_from_db()
    assert not experiment.is_deleted
    browser.post(url)
    experiment.refresh_from_db()
    assert experiment.is_deleted
    assert "iris" in browser.get("/experiments/trash/").content.decode()
    browser.post(f"/experiments/{experiment.pk}/restore/")
    experiment.refresh_from_db()
    assert not experiment.is_deleted


@pytest.mark.parametrize(("who", "status"), [("ben", 403), ("vera", 403), ("cleo", 404)])
def test_who_may_not_delete(people: People, who: str, status: int) -> None:
    experiment = make(people)
    browser = getattr(people, who).browser()
    assert browser.post(f"/experiments/{experiment.pk}/delete/").status_code == status
    assert browser.post(f"/experiments/{experiment.pk}/restore/").status_code == status
    experiment.refresh_from_db()
    assert not experiment.is_deleted


def test_restoring_wants_a_post(people: People) -> None:
    assert people.ada.browser().get(f"/experiments/{make(people).pk}/restore/").status_code == 405


@pytest.mark.parametrize("path", ["9" * 30, "77"])
def test_no_such_experiment(people: People, path: str) -> None:
    assert people.ada.browser().get(f"/experiments/{path}/edit/").status_code == 404
