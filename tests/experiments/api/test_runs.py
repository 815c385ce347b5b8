from __future__ import annotations

from typing import Any

import pytest

from tests.api import call, names
from tests.personas import People, Persona


@pytest.fixture
def iris(people: People) -> str:
    return str(people.ada.call("POST", "experiments/create", {"name": "iris"})["experiment_id"])


def make_run(who: Persona, experiment_id: str, *, c: float = 1.0, steps: int = 3, name: str = "fit") -> str:
    info = who.call("POST", "runs/create", {"experiment_id": experiment_id, "run_name": name, "start_time": 1000})
    run_id = str(info["run"]["info"]["run_id"])
    metrics = [{"key": "val/loss", "value": 1 / (step + 1), "timestamp": step, "step": step} for step in range(steps)]
    body = {
        "run_id": run_id,
        "params": [{"key": "C", "value": str(c)}],
        "metrics": metrics,
        "tags": [{"key": "colour", "value": "blue"}],
    }
    who.call("POST", "runs/log-batch", body)
    return run_id


def test_a_run_with_all_that_it_logged(people: People, iris: str) -> None:
    run_id = make_run(people.ada, iris)
    run = call(people.vera, "GET", f"runs/{run_id}/")
    assert (run["run_id"], run["experiment_id"], run["name"], run["status"]) == (run_id, iris, "fit", "RUNNING")
    assert (run["params"], run["tags"]["colour"], run["owner"]) == ({"C": "1.0"}, "blue", "ada")
    metric = {"key": "val/loss", "value": 1 / 3, "step": 2, "timestamp_ms": 2, "min": 1 / 3, "max": 1.0, "count": 3}
    assert run["metrics"] == [metric]


def test_nan_is_readable_json(people: People, iris: str) -> None:
    run_id = make_run(people.ada, iris, steps=0)
    people.ada.call("POST", "runs/log-metric", {"run_id": run_id, "key": "m", "value": "NaN", "timestamp": 1})
    assert call(people.ada, "GET", f"runs/{run_id}/")["metrics"][0]["value"] == "NaN"
    assert call(people.ada, "GET", f"runs/{run_id}/metrics/m/")["values"] == [None]


def test_lists_take_the_protocols_filters_and_orders(people: People, iris: str) -> None:
    small, large = make_run(people.ada, iris, c=1), make_run(people.ada, iris, c=10)
    query: dict[str, Any] = {"experiment_id": iris, "filter": "params.C = '10'"}
    assert names(call(people.vera, "GET", "runs/", query), "run_id") == [large]
    query = {"experiment_id": iris, "order_by": "params.C DESC", "page_size": 1}
    first = call(people.vera, "GET", "runs/", query)
    rest = call(people.vera, "GET", "runs/", {**query, "page_token": first["next_page_token"]})
    assert names(first, "run_id") + names(rest, "run_id") == [large, small]
    assert rest["next_page_token"] is None


def test_the_life_of_a_run(people: People, iris: str) -> None:
    run_id = make_run(people.ada, iris)
    changed = call(people.ben, "PATCH", f"runs/{run_id}/", {"name": "better", "status": "FINISHED", "end_ms": 5000})
    assert (changed["name"], changed["status"], changed["end_ms"]) == ("better", "FINISHED", 5000)
    call(people.ada, "DELETE", f"runs/{run_id}/", expect=204)
    assert call(people.vera, "GET", "runs/", {"experiment_id": iris})["results"] == []
    assert names(call(people.vera, "GET", "runs/", {"experiment_id": iris, "view": "DELETED_ONLY"}), "run_id") == [
        run_id
    ]
    assert call(people.ada, "POST", f"runs/{run_id}/restore/")["is_deleted"] is False


def test_a_history_is_thinned(people: People, iris: str) -> None:
    run_id = make_run(people.ada, iris, steps=900)
    line = call(people.vera, "GET", f"runs/{run_id}/metrics/val/loss/", {"points": 50})
    assert (line["key"], line["count"]) == ("val/loss", 900)
    assert 2 < len(line["values"]) == len(line["steps"]) == len(line["timestamps_ms"]) <= 60
    assert (line["steps"][0], line["steps"][-1], line["values"][0]) == (0, 899, 1.0)
    call(people.vera, "GET", f"runs/{run_id}/metrics/none/", expect=404)


@pytest.mark.parametrize("query", ["points=2", "points=100000", "points=x", "axis=moon"])
def test_bad_histories(people: People, iris: str, query: str) -> None:
    run_id = make_run(people.ada, iris)
    call(people.ada, "GET", f"runs/{run_id}/metrics/val/loss/?{query}", expect=400)


def test_another_team_sees_nothing(people: People, iris: str) -> None:
    run_id = make_run(people.ada, iris)
    assert call(people.cleo, "GET", "runs/", {"experiment_id": iris})["results"] == []
    for method, tail in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "restore/"),
        ("GET", "metrics/val/loss/"),
    ):
        body = {"name": "x"} if method == "PATCH" else None
        call(people.cleo, method, f"runs/{run_id}/{tail}", body, expect=404)


def test_a_viewer_writes_nothing_and_a_member_deletes_only_ones_own(people: People, iris: str) -> None:
    run_id = make_run(people.ada, iris)
    call(people.vera, "PATCH", f"runs/{run_id}/", {"name": "x"}, expect=403)
    for who in (people.vera, people.ben):
        call(who, "DELETE", f"runs/{run_id}/", expect=403)
        call(who, "POST", f"runs/{run_id}/restore/", expect=403)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"filter": "params.C ="},
        {"filter": "'; DROP TABLE x"},
        {"order_by": "user__password"},
        {"view": "x"},
        {"page_size": "0"},
        {"page_token": "junk"},
    ],
)
def test_bad_lists(people: People, iris: str, query: dict[str, str]) -> None:
    asked = {"experiment_id": iris, **query} if query else {}
    answer = call(people.ada, "GET", "runs/", asked, expect=400)
    assert answer["error_code"] == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize(
    "body",
    [{"status": "DONE"}, {"end_ms": "x"}, {"end_ms": 2**63}, {"end_ms": -1}, {"name": "x" * 251}, [], {"name": ["x"]}],
)
def test_bad_changes_change_nothing(people: People, iris: str, body: object) -> None:
    run_id = make_run(people.ada, iris)
    before = call(people.ada, "GET", f"runs/{run_id}/")
    call(people.ada, "PATCH", f"runs/{run_id}/", body, expect=400)
    assert call(people.ada, "GET", f"runs/{run_id}/") == before


@pytest.mark.parametrize("run_id", ["0" * 32, "x", "..", "x" * 65])
def test_what_is_not_there(people: People, run_id: str) -> None:
    call(people.ada, "GET", f"runs/{run_id}/", expect=404)


def test_the_number_of_statements_does_not_grow(people: People, iris: str, django_assert_max_num_queries: Any) -> None:
    for number in range(6):
        make_run(people.ada, iris, name=f"run {number}")
    call(people.ada, "GET", "runs/", {"experiment_id": iris})
    with django_assert_max_num_queries(6):
        call(people.ada, "GET", "runs/", {"experiment_id": iris})
