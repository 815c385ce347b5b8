from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.experiments.models import Param, Run
from apps.experiments.selectors.comparison import Row, compare
from tests.experiments.runs import log_metrics, make_run
from tests.personas import People


def make(people: People, name: str, loss: float, kernel: str) -> str:
    run_id = make_run(people.ada, name=name, team="a")
    log_metrics(people.ada, run_id, "loss", [loss])
    log_metrics(people.ada, run_id, "accuracy", [1 - loss])
    run = Run.objects.get(run_id=run_id)
    Param.objects.bulk_create([Param(run=run, key="kernel", value=kernel), Param(run=run, key="seed", value="7")])
    return run_id


def row(rows: list[Row], key: str) -> Row:
    return next(one for one in rows if one.key == key)


def test_the_page_shows_runs_side_by_side(people: People) -> None:
    ids = [make(people, "otter", 0.5, "rbf"), make(people, "lynx", 0.25, "linear")]
    text = people.vera.browser().get("/compare/", {"runs": ",".join(ids)}).content.decode()
    for shown in ("otter", "lynx", "rbf", "linear", "0.25", "-0.25", "2 runs side by side"):
        assert shown in text


def test_best_and_different_values_are_marked(people: People) -> None:
    ids = [make(people, "otter", 0.5, "rbf"), make(people, "lynx", 0.25, "linear")]
    found = compare(people.vera.actor, ids, baseline=ids[1])
    assert [cell.is_best for cell in row(found.metrics, "loss").cells] == [False, True]
    assert [cell.is_best for cell in row(found.metrics, "accuracy").cells] == [False, True]
    assert row(found.metrics, "loss").cells[0].delta == "+0.25"
    assert [cell.is_different for cell in row(found.params, "kernel").cells] == [True, False]
    assert not row(found.params, "seed").differs


def test_runs_that_the_caller_may_not_see_are_left_out(people: People) -> None:
    ids = [make(people, "otter", 0.5, "rbf"), make_run(people.cleo, name="spy", experiment="theirs")]
    text = people.ada.browser().get("/compare/", {"runs": ",".join(ids)}).content.decode()
    assert "spy" not in text
    assert "1 run was left out" in text


def test_outsiders_find_nothing(people: People) -> None:
    run_id = make(people, "otter", 0.5, "rbf")
    assert people.cleo.browser().get("/compare/", {"runs": run_id}).status_code == 404


def test_nothing_chosen_yet(people: People) -> None:
    assert "Nothing to compare yet" in people.ada.browser().get("/compare/").content.decode()


def test_a_run_is_added_by_its_id(people: People) -> None:
    answer = people.ada.browser().get("/compare/", {"runs": "a", "add": "b", "baseline": "a"})
    assert answer["Location"] == "/compare/?runs=a,b&baseline=a"


def test_only_get(people: People) -> None:
    assert people.ada.browser().post("/compare/").status_code == 405


def test_too_many(people: People) -> None:
    assert people.ada.browser().get("/compare/", {"runs": ",".join(map(str, range(51)))}).status_code == 400


@pytest.mark.parametrize("name", ["</script><script>alert(1)</script>"])
def test_names_and_values_are_text(people: People, name: str) -> None:
    ids = [make(people, name, 0.5, name), make(people, "lynx", 0.25, "linear")]
    text = people.ada.browser().get("/compare/", {"runs": ",".join(ids)}).content.decode()
    assert "<script>alert" not in text


def test_fifty_runs_cost_what_two_do(people: People) -> None:
    ids = [make(people, f"run{number}", 0.5, "rbf") for number in range(12)]

    def cost(number: int) -> int:
        browser = people.ben.browser()
        with CaptureQueriesContext(connection) as captured:
            assert browser.get("/compare/", {"runs": ",".join(ids[:number])}).status_code == 200
        return len(captured)

    # Session, person, roles, teams; runs; params, tags, metrics.
    assert (cost(2), cost(12)) == (8, 8)
