from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Grant, ObjectKind
from apps.core.actor import Level
from tests.personas import People, Persona


def _experiment(persona: Persona, name: str = "iris") -> str:
    return str(persona.call("POST", "experiments/create", {"name": name})["experiment_id"])


def _run(persona: Persona, experiment_id: str, start: int, name: str = "run") -> str:
    body = {"experiment_id": experiment_id, "start_time": start, "run_name": name}
    return str(persona.call("POST", "runs/create", body)["run"]["info"]["run_id"])


def _search(persona: Persona, experiment_ids: list[str], **body: object) -> list[str]:
    answer = persona.call("POST", "runs/search", {"experiment_ids": experiment_ids, **body})
    return [run["info"]["run_name"] for run in answer.get("runs", [])]


def _metric(persona: Persona, run_id: str, value: float | str) -> None:
    body = {"run_id": run_id, "key": "acc", "value": value, "timestamp": 1, "step": 0}
    persona.call("POST", "runs/log-metric", body)


def test_the_newest_come_first_and_whole(people: People) -> None:
    experiment_id = _experiment(people.ada)
    _run(people.ada, experiment_id, 1000, "old")
    run_id = _run(people.ada, experiment_id, 2000, "new")
    answer = people.vera.call("POST", "runs/search", {"experiment_ids": [experiment_id]})
    assert [run["info"]["run_name"] for run in answer["runs"]] == ["new", "old"]
    assert answer["runs"][0] == people.vera.call("GET", "runs/get", {"run_id": run_id})["run"]
    assert "next_page_token" not in answer


def test_numbers_sort_before_nan_and_nan_before_nothing(people: People) -> None:
    experiment_id = _experiment(people.ada)
    for start, (name, value) in enumerate([("none", None), ("nan", "NaN"), ("high", 0.9), ("low", 0.1)]):
        run_id = _run(people.ada, experiment_id, 1000 + start, name)
        if value is not None:
            _metric(people.ada, run_id, value)
    assert _search(people.ada, [experiment_id], order_by=["metrics.acc"]) == ["low", "high", "nan", "none"]
    assert _search(people.ada, [experiment_id], order_by=["metrics.acc DESC"]) == ["high", "low", "nan", "none"]
    assert _search(people.ada, [experiment_id], filter="metrics.acc != 0.1") == ["high", "nan"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("metrics.acc >= 0.1", ["low", "twin", "high", "top"]),
        ("metrics.acc > 0.1 AND metrics.acc <= 0.9", ["twin", "high"]),
        ("metrics.acc = 0.5 AND (metrics.acc > 9 OR attributes.run_name LIKE 't%')", ["twin"]),
        ("metrics.acc > 0.1 AND NOT metrics.acc > 0.5", ["twin"]),
        ("metrics.acc != 0.5 AND metrics.acc < 2e308", ["low", "high"]),
        ("metrics.acc != 0.5", ["low", "high", "top", "nan"]),
        ("metrics.acc < 0.5 OR attributes.run_name = 'none'", ["low", "none"]),
    ],
)
def test_filter_and_order_by_the_same_metric(people: People, condition: str, expected: list[str]) -> None:
    experiment_id = _experiment(people.ada)
    values = {"none": None, "nan": "NaN", "high": 0.9, "low": 0.1, "twin": 0.5, "top": "Infinity"}
    for start, (name, value) in enumerate(values.items()):
        run_id = _run(people.ada, experiment_id, 1000 + start, name)
        if value is not None:
            _metric(people.ada, run_id, value)
    by_pages: list[str] = []
    token = ""
    while not by_pages or token:
        body = {"experiment_ids": [experiment_id], "filter": condition, "order_by": ["metrics.acc"]}
        answer = people.ada.call("POST", "runs/search", {**body, "max_results": 1, "page_token": token})
        by_pages += [run["info"]["run_name"] for run in answer["runs"]]
        token = answer.get("next_page_token", "")
    assert by_pages == expected
    numbers = [name for name in expected if name not in ("nan", "none")]
    downwards = _search(people.ada, [experiment_id], filter=condition, order_by=["metrics.acc DESC"])
    assert downwards[: len(numbers)] == numbers[::-1]
    assert downwards[len(numbers) :] == expected[len(numbers) :]


@pytest.mark.parametrize(
    "order_by",
    [
        [],
        ["metrics.acc DESC"],
        ["params.p", "start_time ASC"],
        ["end_time"],
        ["tags.`mlflow.runName` DESC"],
        ["run_id"],
    ],
)
def test_pages_hold_every_run_once(people: People, order_by: list[str]) -> None:
    experiment_id = _experiment(people.ada)
    for number in range(7):
        run_id = _run(people.ada, experiment_id, 1000 + number // 2, f"run {number}")
        if number % 3:
            _metric(people.ada, run_id, "NaN" if number == 4 else number / 2)
            people.ada.call("POST", "runs/log-parameter", {"run_id": run_id, "key": "p", "value": str(number % 2)})
    whole = _search(people.ada, [experiment_id], order_by=order_by)
    paged, token = [], ""
    while token is not None:
        body = {"experiment_ids": [experiment_id], "order_by": order_by, "max_results": 2, "page_token": token}
        answer = people.ada.call("POST", "runs/search", body)
        paged += [run["info"]["run_name"] for run in answer["runs"]]
        token = answer.get("next_page_token")
    assert len(whole) == 7
    assert paged == whole


def test_a_token_serves_one_person_and_one_query(people: People) -> None:
    experiment_id = _experiment(people.ada)
    for start in (1, 2):
        _run(people.ada, experiment_id, start)
    body = {"experiment_ids": [experiment_id], "max_results": 1}
    token = people.ada.call("POST", "runs/search", body)["next_page_token"]
    body["page_token"] = token
    people.ben.call("POST", "runs/search", body, expect=400)
    people.ada.call("POST", "runs/search", body | {"filter": "status = 'RUNNING'"}, expect=400)
    answer = people.ada.call("POST", "runs/search", body | {"order_by": ["run_id"]}, expect=400)
    assert answer["error_code"] == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize("token", ["junk", "eyJvZmZzZXQiOiAtNX0=", "x" * 100_000, "' OR 1=1 --"])
def test_a_made_up_token_is_refused(people: People, token: str) -> None:
    experiment_id = _experiment(people.ada)
    people.ada.call("POST", "runs/search", {"experiment_ids": [experiment_id], "page_token": token}, expect=400)


def test_another_team_sees_nothing_and_what_is_granted(people: People) -> None:
    experiment_id = _experiment(people.ada)
    _run(people.ada, experiment_id, 1, "secret")
    assert _search(people.cleo, [experiment_id]) == []
    Grant.objects.create(
        kind=ObjectKind.EXPERIMENT, object_id=int(experiment_id), user=people.cleo.user, level=Level.READ
    )
    assert _search(people.cleo, [experiment_id]) == ["secret"]


def test_zero_is_the_default_of_the_callers_team(people: People) -> None:
    _run(people.ada, "0", 1, "of forge")
    _run(people.cleo, "0", 1, "of harbour")
    assert _search(people.ada, ["0"]) == ["of forge"]


def test_views_of_the_trash(people: People) -> None:
    experiment_id = _experiment(people.ada)
    _run(people.ada, experiment_id, 1, "kept")
    people.ada.call("POST", "runs/delete", {"run_id": _run(people.ada, experiment_id, 2, "gone")})
    assert _search(people.ada, [experiment_id]) == ["kept"]
    assert _search(people.ada, [experiment_id], run_view_type="DELETED_ONLY") == ["gone"]
    assert _search(people.ada, [experiment_id], run_view_type=3) == ["gone", "kept"]


@pytest.mark.parametrize(
    "body",
    [
        {"max_results": 0},
        {"max_results": -1},
        {"max_results": 50_001},
        {"max_results": 2**63},
        {"max_results": "abc"},
        {"max_results": [1]},
        {"filter": "params.p='a' ; DROP TABLE runs"},
        {"filter": "user__password = 'x'"},
        {"order_by": ["experiment__team"]},
        {"order_by": ["metrics.acc", "metrics.acc desc"]},
        {"order_by": ["start_time; drop"]},
        {"order_by": ["dataset.name"]},
        {"order_by": "start_time"},
        {"experiment_ids": ["abc"]},
        {"experiment_ids": "0"},
    ],
)
def test_bad_input(people: People, body: dict[str, object]) -> None:
    answer = people.ada.call("POST", "runs/search", {"experiment_ids": ["0"]} | body, expect=400)
    assert answer["error_code"] == "INVALID_PARAMETER_VALUE"


def test_hard_filters_are_answered(people: People) -> None:
    experiment_id = _experiment(people.ada)
    _run(people.ada, experiment_id, 1)
    many = " AND ".join(f"tags.t{number} IS NULL AND params.p{number} != 'x'" for number in range(100))
    assert _search(people.ada, [experiment_id], filter=many) == []
    assert _search(people.ada, [experiment_id], filter="tags.`mlflow.runName` LIKE '" + "%r" * 40 + "'") == []
    assert _search(people.ada, [experiment_id], filter="params.p = '" + "x" * 150_000 + "'") == []


def test_statements_are_few_however_many_runs(people: People) -> None:
    experiment_id = _experiment(people.ada)
    for start in range(3):
        _metric(people.ada, _run(people.ada, experiment_id, start), 0.5)
    people.ada.call("GET", "experiments/get", {"experiment_id": experiment_id})
    body = {"experiment_ids": [experiment_id], "filter": "metrics.acc > 0", "order_by": ["metrics.acc"]}
    with CaptureQueriesContext(connection) as captured:
        assert len(people.ada.call("POST", "runs/search", body)["runs"]) == 3
    # What the caller may see, the page, and the runs: one statement on PostgreSQL, two on SQLite.
    assert len(captured) == (3 if connection.vendor == "postgresql" else 4), [query["sql"] for query in captured]
