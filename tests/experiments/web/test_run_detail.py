from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.experiments.models import Dataset, DatasetInput, LoggedModel, ModelLink, Param, Run
from tests.experiments.runs import log_metrics, make_run
from tests.personas import People

TABS = ["", "metrics/", "datasets/", "activity/"]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def run_id(people: People) -> str:
    return make_run(people.ada, name="brave-otter", stage="dev")


def page(people: People, who: str, path: str) -> str:
    answer = getattr(people, who).browser().get(path)
    assert answer.status_code == 200
    text: str = answer.content.decode()
    return text


def fill(people: People, run_id: str, *, first: int = 0, end: int = 1) -> None:
    """Values of all kinds, one of each for each number."""
    run = Run.objects.get(run_id=run_id)
    for place in range(first, end):
        log_metrics(people.ada, run_id, f"train/loss{place}", [0.5, 0.25])
        Param.objects.create(run=run, key=f"p{place}", value="1")
        schema = '{"mlflow_colspec": [{"name": "petal width", "type": "double"}]}'
        dataset = Dataset.objects.create(
            experiment=run.experiment, name=f"iris{place}", digest="d", source_type="http", source="{}", schema=schema
        )
        DatasetInput.objects.create(run=run, dataset=dataset, context="training")
        model = LoggedModel.objects.create(
            model_id=f"m-{place}", experiment=run.experiment, name=f"model{place}", created_ms=1, updated_ms=1
        )
        ModelLink.objects.create(run=run, model=model, direction="output")
        make_run(people.ada, name=f"child{place}", **{"mlflow.parentRunId": run_id})


def test_the_overview_shows_what_the_run_has(people: People, run_id: str) -> None:
    fill(people, run_id)
    text = page(people, "vera", f"/runs/{run_id}/")
    for shown in ("brave-otter", "train/loss0", "0.25", "p0", "iris0", "model0", "child0", "stage", "dev", "Running"):
        assert shown in text


def test_a_run_without_anything_has_a_page(people: People) -> None:
    run_id = make_run(people.ada, name="")
    assert run_id in page(people, "ben", f"/runs/{run_id}/")
    assert "No metrics yet" in page(people, "ben", f"/runs/{run_id}/metrics/")
    assert "No datasets" in page(people, "ben", f"/runs/{run_id}/datasets/")


def test_the_datasets_tab_shows_columns(people: People, run_id: str) -> None:
    fill(people, run_id)
    assert "petal width" in page(people, "vera", f"/runs/{run_id}/datasets/")


@pytest.mark.parametrize("schema", ["[1", "[1]", '{"mlflow_colspec": [1, {"name": null}]}', "null", ""])
def test_a_schema_that_says_nothing_breaks_nothing(people: People, run_id: str, schema: str) -> None:
    fill(people, run_id)
    Dataset.objects.update(schema=schema, profile=schema)
    page(people, "vera", f"/runs/{run_id}/datasets/")


def test_notes_and_names_are_text(people: People) -> None:
    note = "<script>alert(1)</script> [x](javascript:alert(1)) **bold**"
    run_id = make_run(people.ada, name="<script>alert(2)</script>", **{"mlflow.note.content": note})
    text = page(people, "vera", f"/runs/{run_id}/")
    assert "<script>alert" not in text
    assert 'href="javascript' not in text
    assert "<strong>bold</strong>" in text


def test_a_panel_is_the_part_of_the_page(people: People, run_id: str) -> None:
    Param.objects.create(run=Run.objects.get(run_id=run_id), key="depth", value="3")
    answer = people.vera.browser().get(f"/runs/{run_id}/", {"panel": "params"}, headers=HTMX)
    text = answer.content.decode()
    assert "depth" in text
    assert "<html" not in text


@pytest.mark.parametrize("tab", TABS)
def test_outsiders_see_nothing(people: People, run_id: str, tab: str) -> None:
    assert people.cleo.browser().get(f"/runs/{run_id}/{tab}").status_code == 404


@pytest.mark.parametrize("tab", TABS)
def test_only_get(people: People, run_id: str, tab: str) -> None:
    assert people.ada.browser().post(f"/runs/{run_id}/{tab}").status_code == 405


@pytest.mark.parametrize("path", ["/runs/nothing/", "/runs/nothing/metrics/"])
def test_no_such_run(people: People, path: str) -> None:
    assert people.ada.browser().get(path).status_code == 404


def test_no_such_panel(people: People, run_id: str) -> None:
    answer = people.ada.browser().get(f"/runs/{run_id}/", {"panel": "../base"}, headers=HTMX)
    assert answer.status_code == 404


def test_a_child_of_another_team_is_not_shown(people: People, run_id: str) -> None:
    make_run(people.cleo, name="spy", experiment="other", **{"mlflow.parentRunId": run_id})
    assert "spy" not in page(people, "ada", f"/runs/{run_id}/")


@pytest.mark.parametrize("tab", ["", "metrics/", "datasets/"])
def test_a_page_costs_the_same_whatever_it_shows(people: People, run_id: str, tab: str) -> None:
    def cost() -> int:
        browser = people.ben.browser()
        with CaptureQueriesContext(connection) as captured:
            browser.get(f"/runs/{run_id}/{tab}")
        return len(captured)

    fill(people, run_id)
    with_one = cost()
    fill(people, run_id, first=1, end=8)
    # Session, person, roles, teams; run, grants; params, tags, series, datasets, models, family.
    assert (with_one, cost()) == (STATEMENTS, STATEMENTS)


STATEMENTS = 13

Change = Callable[[Any, str], Any]
CHANGES: dict[str, Change] = {
    "rename": lambda browser, run_id: browser.post(f"/runs/{run_id}/rename/", {"name": "new"}),
    "note": lambda browser, run_id: browser.post(f"/runs/{run_id}/note/", {"note": "why"}),
    "tag": lambda browser, run_id: browser.post(f"/runs/{run_id}/tag/", {"key": "k", "value": "v"}),
    "delete": lambda browser, run_id: browser.post(f"/runs/{run_id}/delete/"),
    "restore": lambda browser, run_id: browser.post(f"/runs/{run_id}/restore/"),
}


def state(run_id: str) -> tuple[Any, ...]:
    run = Run.objects.get(run_id=run_id)
    return run.name, run.deleted_ms, tuple(run.tags.order_by("key").values_list("key", "value"))


def test_a_member_edits(people: People, run_id: str) -> None:
    browser = people.ben.browser()
    for name in ("rename", "note", "tag"):
        assert CHANGES[name](browser, run_id)["Location"] == f"/runs/{run_id}/"
    assert state(run_id)[0] == "new"
    assert {("k", "v"), ("mlflow.note.content", "why"), ("stage", "dev")} <= set(state(run_id)[2])


def test_a_tag_is_changed_and_removed(people: People, run_id: str) -> None:
    browser = people.ben.browser()
    address = f"/runs/{run_id}/tag/?key=stage"
    assert 'value="dev"' in browser.get(address, headers=HTMX).content.decode() or "dev" in page(
        people, "ben", f"/runs/{run_id}/"
    )
    browser.post(address, {"key": "stage", "value": "prod"}, headers=HTMX)
    assert ("stage", "prod") in state(run_id)[2]
    browser.post(address, {"key": "stage", "remove": "on"}, headers=HTMX)
    assert "stage" not in dict(state(run_id)[2])


def test_whoever_made_it_deletes_and_restores(people: People, run_id: str) -> None:
    browser = people.ada.browser()
    CHANGES["delete"](browser, run_id)
    assert state(run_id)[1] is not None
    assert "in the trash" in page(people, "ada", f"/runs/{run_id}/")
    CHANGES["restore"](browser, run_id)
    assert state(run_id)[1] is None
    assert "into the trash" in page(people, "ada", f"/runs/{run_id}/activity/")


@pytest.mark.parametrize(
    ("who", "change", "status"),
    [("vera", name, 403) for name in CHANGES]
    + [("cleo", name, 404) for name in CHANGES]
    + [("ben", "delete", 403), ("ben", "restore", 403)],
)
def test_those_without_the_right_change_nothing(
    people: People, run_id: str, who: str, change: str, status: int
) -> None:
    before = state(run_id)
    assert CHANGES[change](getattr(people, who).browser(), run_id).status_code == status
    assert state(run_id) == before


@pytest.mark.parametrize("verb", ["delete", "restore"])
def test_trash_takes_post(people: People, run_id: str, verb: str) -> None:
    assert people.ada.browser().get(f"/runs/{run_id}/{verb}/").status_code == 405


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("rename", {"name": ""}),
        ("rename", {"name": "x" * 251}),
        ("note", {"note": "x" * 8001}),
        ("tag", {"key": "", "value": "v"}),
        ("tag", {"key": "mlflow.user", "value": "root"}),
        ("tag", {"key": "k" * 251, "value": "v"}),
        ("tag", {"key": "k\x00", "value": "v"}),
        ("tag", {"key": "a?", "value": "v"}),
    ],
)
def test_bad_input_is_refused_in_place(people: People, run_id: str, path: str, data: dict[str, str]) -> None:
    before = state(run_id)
    assert people.ada.browser().post(f"/runs/{run_id}/{path}/", data, headers=HTMX).status_code == 422
    assert state(run_id) == before
