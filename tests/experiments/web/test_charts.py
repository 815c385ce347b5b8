from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.experiments.models import Run
from apps.experiments.selectors import charts
from tests.experiments.runs import log_metrics, make_run
from tests.personas import People, Persona

NAN = float("nan")


@pytest.fixture
def run_id(people: People) -> str:
    return make_run(people.ada)


def lines(persona: Persona, run_id: str, **query: Any) -> list[dict[str, Any]]:
    answer = persona.browser().get(f"/runs/{run_id}/metrics.json", query)
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["lines"]
    return found


def test_a_line_with_gaps(people: People, run_id: str) -> None:
    log_metrics(people.ada, run_id, "loss", [1.0, NAN, 0.5, 1.7976931348623157e308])
    (line,) = lines(people.vera, run_id, key="loss")
    assert (line["steps"], line["times"]) == ([0, 1, 2, 3], [1000, 1001, 1002, 1003])
    assert line["values"] == [1.0, None, 0.5, None]
    assert (line["count"], line["last_step"], line["run_id"]) == (4, 3, run_id)


@pytest.mark.parametrize("axis", ["step", "time"])
def test_a_long_line_is_thinned_and_keeps_its_extremes(people: People, run_id: str, axis: str) -> None:
    values = [0.0] * 3000
    values[1234], values[2345] = 9.0, -9.0
    log_metrics(people.ada, run_id, "loss", values)
    (line,) = lines(people.vera, run_id, key="loss", points=100, axis=axis)
    assert len(line["values"]) <= 102
    assert {9.0, -9.0} <= set(line["values"])
    assert line["steps"] == sorted(line["steps"])
    assert {0, 2999} <= set(line["steps"])


@pytest.mark.parametrize("axis", ["step", "time"])
def test_what_is_too_long_to_read_is_thinned_by_the_database(
    people: People, run_id: str, axis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charts, "_RAW_ROWS", 10)
    values = [float(number % 7) for number in range(500)]
    values[321], values[5] = 99.0, NAN
    log_metrics(people.ada, run_id, "loss", values)
    (line,) = lines(people.vera, run_id, key="loss", points=50, axis=axis)
    assert len(line["values"]) <= 52
    assert 99.0 in line["values"]
    assert line["steps"] == sorted(line["steps"])


def test_many_runs_and_keys_cost_the_same(people: People) -> None:
    def cost(runs: int, keys: int) -> int:
        ids = [make_run(people.ada) for _ in range(runs)]
        for run_id in ids:
            for key in range(keys):
                log_metrics(people.ada, run_id, f"m{key}", [1.0, 2.0])
        browser = people.ben.browser()
        with CaptureQueriesContext(connection) as captured:
            answer = browser.get(
                "/compare/metrics.json", {"runs": ",".join(ids), "key": [f"m{k}" for k in range(keys)]}
            )
        assert len(answer.json()["lines"]) == runs * keys
        return len(captured)

    # Session, person, roles; runs; series, points.
    assert (cost(1, 1), cost(5, 4)) == (6, 6)


def test_compared_lines_leave_out_what_the_caller_may_not_see(people: People, run_id: str) -> None:
    hidden = make_run(people.cleo, experiment="theirs")
    for persona, one in ((people.ada, run_id), (people.cleo, hidden)):
        log_metrics(persona, one, "loss", [1.0])
    answer = people.ada.browser().get("/compare/metrics.json", {"runs": f"{run_id},{hidden}", "key": "loss"})
    assert [line["run_id"] for line in answer.json()["lines"]] == [run_id]


def test_the_news_for_pages_without_a_socket(people: People, run_id: str) -> None:
    log_metrics(people.ada, run_id, "loss", [1.0, 0.5])
    news = people.vera.browser().get(f"/runs/{run_id}/live.json").json()
    assert news["run"]["status"] == "RUNNING"
    assert (news["metrics"]["loss"]["last"], news["metrics"]["loss"]["count"]) == (0.5, 2)


@pytest.mark.parametrize("path", ["metrics.json?key=loss", "live.json"])
def test_outsiders_get_nothing(people: People, run_id: str, path: str) -> None:
    assert people.cleo.browser().get(f"/runs/{run_id}/{path}").status_code == 404


@pytest.mark.parametrize("path", ["metrics.json?key=loss", "live.json"])
def test_only_get(people: People, run_id: str, path: str) -> None:
    assert people.ada.browser().post(f"/runs/{run_id}/{path}").status_code == 405


@pytest.mark.parametrize(
    "query",
    [
        "",
        "key=loss&points=0",
        "key=loss&points=2001",
        "key=loss&points=-5",
        "key=loss&points=x",
        "key=loss&points=" + "9" * 5000,
        "key=loss&axis=wall",
        "&".join(f"key=m{number}" for number in range(49)),
    ],
)
def test_bad_input(people: People, run_id: str, query: str) -> None:
    assert people.ada.browser().get(f"/runs/{run_id}/metrics.json?{query}").status_code == 400


def test_too_many_runs(people: People) -> None:
    runs = ",".join(str(number) for number in range(51))
    assert people.ada.browser().get("/compare/metrics.json", {"runs": runs, "key": "loss"}).status_code == 400


def test_a_deleted_run_still_has_its_lines(people: People, run_id: str) -> None:
    log_metrics(people.ada, run_id, "loss", [1.0])
    Run.objects.update(deleted_ms=1)
    assert len(lines(people.ada, run_id, key="loss")) == 1
