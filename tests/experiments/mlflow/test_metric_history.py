from __future__ import annotations

import json
from itertools import chain
from typing import Any

import pytest

from apps.experiments import history
from apps.experiments.mlflow import metrics
from tests.experiments.logging import history_of, make_run, metric
from tests.personas import People, Persona


def make_history(who: Persona, count: int, key: str = "loss") -> str:
    run_id = make_run(who)
    values = [metric(key, float(n), timestamp=count - n, step=n % 3) for n in range(count)]
    who.call("POST", "runs/log-batch", {"run_id": run_id, "metrics": values})
    return run_id


def test_it_is_ordered_by_time(people: People) -> None:
    run_id = make_history(people.ada, 5)
    found = history_of(people.vera, run_id)["metrics"]
    assert [(m["timestamp"], m["value"], m["step"]) for m in found] == [
        (1, 4.0, 1),
        (2, 3.0, 0),
        (3, 2.0, 2),
        (4, 1.0, 1),
        (5, 0.0, 0),
    ]


def test_pages_join_to_the_whole(people: People) -> None:
    run_id = make_history(people.ada, 7)
    whole = history_of(people.ada, run_id)["metrics"]
    pages, token = [], ""
    while True:
        page = history_of(people.ada, run_id, max_results=3, page_token=token)
        pages.append(page["metrics"])
        token = page.get("next_page_token", "")
        if not token:
            break
    assert [len(page) for page in pages] == [3, 3, 1]
    assert list(chain(*pages)) == whole
    assert "next_page_token" not in history_of(people.ada, run_id, max_results=7)


def test_a_long_history_is_sent_in_pieces(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = make_history(people.ada, 7)
    whole = history_of(people.ada, run_id)
    monkeypatch.setattr(history, "CHUNK", 3)
    monkeypatch.setattr(metrics, "CHUNK", 3)
    response = people.ada.request(
        "GET", "/api/2.0/mlflow/metrics/get-history", {"run_id": run_id, "metric_key": "loss"}
    )
    assert response.streaming
    assert json.loads(response.getvalue()) == whole


def test_nothing_logged_is_an_empty_answer(people: People) -> None:
    assert history_of(people.ada, make_run(people.ada), "nope") == {}


@pytest.mark.parametrize(
    "bad",
    [
        {"max_results": "0"},
        {"max_results": "-1"},
        {"max_results": "x"},
        {"max_results": str(10**9)},
        {"max_results": str(2**63)},
        {"page_token": "junk"},
        {"page_token": "eyJvZmZzZXQiOiAyfQ=="},
        {"page_token": "x" * 100_000},
        {"metric_key": ""},
    ],
)
def test_bad_input(people: People, bad: dict[str, str]) -> None:
    query = {"run_id": make_run(people.ada), "metric_key": "loss", **bad}
    answer = people.ada.call("GET", "metrics/get-history", query, expect=400)
    assert answer["error_code"] == "INVALID_PARAMETER_VALUE"


def test_a_token_is_for_one_history_and_one_reader(people: People) -> None:
    run_id, other = make_history(people.ada, 4), make_history(people.ada, 4)
    token = history_of(people.ada, run_id, max_results=2)["next_page_token"]
    query = {"metric_key": "loss", "max_results": 2, "page_token": token}
    people.ada.call("GET", "metrics/get-history", {"run_id": other, **query}, expect=400)
    people.ben.call("GET", "metrics/get-history", {"run_id": run_id, **query}, expect=400)


def test_an_outsider_finds_nothing(people: People) -> None:
    run_id = make_history(people.ada, 2)
    query = {"run_id": run_id, "metric_key": "loss"}
    assert people.cleo.call("GET", "metrics/get-history", query, expect=404)
    assert bulk(people.cleo, run_id=[run_id]) == {"metrics": []}
    assert sample(people.cleo, run_ids=[run_id]) == {}


def bulk(who: Persona, expect: int = 200, **query: Any) -> Any:
    response = who.request("GET", "/ajax-api/2.0/mlflow/metrics/get-history-bulk", {"metric_key": "loss", **query})
    assert response.status_code == expect, response.content
    return response.json()


def sample(who: Persona, expect: int = 200, **query: Any) -> Any:
    path = "/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval"
    response = who.request("GET", path, {"metric_key": "loss", **query})
    assert response.status_code == expect, response.content
    return response.json()


def test_bulk_is_ordered_by_run_and_cut(people: People) -> None:
    ids = sorted([make_history(people.ada, 3), make_history(people.ada, 2)])
    found = bulk(people.ada, run_id=ids)["metrics"]
    assert [m["run_id"] for m in found] == sorted(m["run_id"] for m in found)
    assert (len(found), len(bulk(people.ada, run_id=ids, max_results=4)["metrics"])) == (5, 4)


@pytest.mark.parametrize(
    "bad", [{}, {"run_id": ["r"] * 101}, {"run_id": "r", "metric_key": ""}, {"run_id": "r", "max_results": "x"}]
)
def test_bad_bulk(people: People, bad: dict[str, Any]) -> None:
    assert bulk(people.ada, 400, **bad)["error_code"] == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize(
    ("most", "steps"),
    [(1, [9]), (2, [0, 9]), (3, [0, 4, 9]), (5, [0, 2, 4, 6, 9]), (10, list(range(10))), (11, list(range(10)))],
)
def test_a_sample_keeps_both_ends(people: People, most: int, steps: list[int]) -> None:
    run_id = make_run(people.ada)
    values = [metric(value=float(n), step=n) for n in range(10)]
    people.ada.call("POST", "runs/log-batch", {"run_id": run_id, "metrics": values})
    found = sample(people.ada, run_ids=[run_id], max_results=most)["metrics"]
    assert [m["step"] for m in found] == steps
    assert {m["run_id"] for m in found} == {run_id}


def test_a_sample_of_an_interval_in_the_order_of_the_runs(people: People) -> None:
    ids = sorted([make_history(people.ada, 6), make_history(people.ada, 6)], reverse=True)
    found = sample(people.ada, run_ids=ids, start_step=1, end_step=1)["metrics"]
    assert [(m["run_id"], m["step"], m["timestamp"]) for m in found] == [
        (run_id, 1, timestamp) for run_id in ids for timestamp in (2, 5)
    ]


@pytest.mark.parametrize(
    "bad",
    [
        {"run_ids": []},
        {"run_ids": ["r"] * 101},
        {"run_ids": "r", "max_results": 0},
        {"run_ids": "r", "max_results": 2501},
        {"run_ids": "r", "start_step": 1},
        {"run_ids": "r", "start_step": 2, "end_step": 1},
        {"run_ids": "r", "start_step": "x", "end_step": 1},
    ],
)
def test_bad_sample(people: People, bad: dict[str, Any]) -> None:
    assert sample(people.ada, 400, **bad)["error_code"] == "INVALID_PARAMETER_VALUE"
