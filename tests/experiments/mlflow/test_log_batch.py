from __future__ import annotations

from typing import Any

import pytest

from apps.experiments.models import Param, Point, Run, RunTag, Series
from tests.experiments.logging import get_run, history_of, make_run, metric
from tests.personas import People, Persona


def log(who: Persona, run_id: str, expect: int = 200, **lists: Any) -> Any:
    return who.call("POST", "runs/log-batch", {"run_id": run_id, **lists}, expect=expect)


def pair(key: str, value: str = "1") -> dict[str, str]:
    return {"key": key, "value": value}


def test_all_three_in_one_call(people: People) -> None:
    run_id = make_run(people.ada, run_name="n")
    values = [metric("a", 1.0, step=1), metric("a", 2.0, step=0), metric("b", "NaN"), metric("a", 1.0, step=1)]
    for _ in range(2):
        log(people.ben, run_id, metrics=values, params=[pair("p"), pair("q")], tags=[pair("t"), pair("t", "last")])
    data = get_run(people.ada, run_id)["data"]
    assert sorted(data["metrics"], key=lambda m: m["key"]) == [metric("a", 1.0, step=1), metric("b", "NaN")]
    assert sorted(data["params"], key=lambda p: p["key"]) == [pair("p"), pair("q")]
    assert pair("t", "last") in data["tags"]
    assert dict(Series.objects.values_list("key", "count")) == {"a": 2, "b": 1}


def test_an_empty_batch_is_fine(people: People) -> None:
    run_id = make_run(people.ada)
    assert log(people.ada, run_id) == log(people.ada, run_id, metrics=[], params=[], tags=[]) == {}


def test_a_changed_param_stores_nothing_of_the_batch(people: People) -> None:
    run_id = make_run(people.ada)
    log(people.ada, run_id, params=[pair("p"), pair("e", "")])
    before = get_run(people.ada, run_id)
    batch = {"metrics": [metric()], "params": [pair("new"), pair("p", "x"), pair("e", "y")], "tags": [pair("t")]}
    assert log(people.ada, run_id, 400, **batch)["message"] == (
        "Changing param values is not allowed. Params were already logged="
        "'[{'key': 'p', 'old_value': '1', 'new_value': 'x'}, {'key': 'e', 'old_value': '', 'new_value': 'y'}]' "
        f"for run ID='{run_id}'."
    )
    assert get_run(people.ada, run_id) == before


def test_the_name_and_the_parent_follow_their_tags(people: People) -> None:
    run_id = make_run(people.ada)
    log(people.ada, run_id, tags=[pair("mlflow.runName", "by batch"), pair("mlflow.parentRunId", "p1")])
    run = Run.objects.get(run_id=run_id)
    assert (run.name, run.parent_run_id) == ("by batch", "p1")
    log(people.ada, run_id, tags=[pair("mlflow.runName", ""), pair("other")])
    assert get_run(people.ada, run_id)["info"]["run_name"] == "by batch"


def test_a_thousand_values(people: People) -> None:
    run_id = make_run(people.ada)
    log(people.ada, run_id, metrics=[metric(f"m{index % 7}", float(index), step=index) for index in range(1000)])
    assert sum(Series.objects.values_list("count", flat=True)) == Point.objects.count() == 1000
    assert history_of(people.ada, run_id, "m6")["metrics"][-1] == metric("m6", 993.0, step=993)


@pytest.mark.parametrize(
    ("lists", "words"),
    [
        ({"metrics": [metric()] * 1001}, "at most 1000 metrics. Got 1001 metrics."),
        ({"params": [pair(f"k{n}") for n in range(101)]}, "at most 100 params. Got 101 params."),
        ({"tags": [pair(f"k{n}") for n in range(101)]}, "at most 100 tags. Got 101 tags."),
        (
            {"metrics": [metric(step=n) for n in range(950)], "params": [pair(f"k{n}") for n in range(51)]},
            "at most 1000 metrics, params, and tags. Got 1002",
        ),
        ({"params": [pair("d"), pair("d")]}, "Duplicate parameter keys have been submitted: ['d']."),
        ({"tags": [pair("t", "v" * 1_000_000)]}, "must be at most 1000000 bytes"),
        ({"metrics": [{"key": "a", "timestamp": 1}]}, "Missing value for required parameter 'metrics[0].value'."),
        ({"metrics": [{"value": 1, "timestamp": 1}]}, "Missing value for required parameter 'metrics[0].key'."),
        ({"metrics": [{"key": "a", "value": 1}]}, "Missing value for required parameter 'metrics[0].timestamp'."),
        ({"metrics": [metric(), metric("a//b")]}, "Invalid value \"a//b\" for parameter 'metrics[1].name' supplied"),
        ({"metrics": [metric(value="x")]}, "Invalid value \"x\" for parameter 'metrics[0].value' supplied"),
        ({"metrics": 5}, "Invalid value 5 for parameter 'metrics' supplied"),
        ({"metrics": [None]}, "Invalid value null for parameter 'metrics[0]' supplied"),
        ({"params": [{"value": "v"}]}, "Missing value for required parameter 'params[0].key'."),
        ({"params": [pair("")]}, "Missing value for required parameter 'params[0].key'."),
        ({"tags": [pair("k" * 251)]}, "'tags[0].key' exceeds the maximum length of 250 characters"),
    ],
)
def test_over_a_limit_nothing_is_stored(people: People, lists: dict[str, Any], words: str) -> None:
    run_id = make_run(people.ada)
    rest = {"metrics": [metric("ok")], "params": [pair("ok")], "tags": [pair("ok")]}
    answer = log(people.ada, run_id, 400, **{**rest, **lists})
    assert answer["error_code"] == "INVALID_PARAMETER_VALUE"
    assert words in answer["message"]
    assert Series.objects.count() == Point.objects.count() == Param.objects.count() == 0
    assert list(RunTag.objects.values_list("key", flat=True)) == ["mlflow.runName"]


def test_who_may(people: People) -> None:
    run_id = make_run(people.ada)
    log(people.vera, run_id, 403, metrics=[metric()])
    log(people.cleo, run_id, 404, metrics=[metric()])
    log(people.ada, "nope", 404, metrics=[metric()])
    log(people.ada, "a/b", 400, metrics=[metric()])
    assert Series.objects.count() == 0
