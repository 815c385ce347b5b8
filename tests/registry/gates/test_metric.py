from __future__ import annotations

from typing import Any

import pytest

from apps.core.errors import InvalidInput
from apps.registry import actions, gates
from tests.experiments.logging import make_run, metric
from tests.personas import People
from tests.registry.gates.cases import gate, judge, make_version

ACCURATE = {"key": "accuracy", "operator": ">=", "value": 0.95}


@pytest.mark.parametrize(
    ("operator", "value", "state"),
    [
        (">=", 0.97, "passed"),
        (">", 0.97, "failed"),
        ("<=", 0.97, "passed"),
        ("<", "0.98", "passed"),
        (">=", 1, "failed"),
    ],
)
def test_the_run_reaches_the_value_or_does_not(people: People, operator: str, value: Any, state: str) -> None:
    version = make_version(people.ada, people.forge, metrics={"accuracy": 0.97})
    (result,) = judge(people.ada, version, gate("metric", key="accuracy", operator=operator, value=value))
    assert result.state == state
    assert result.evidence["value"] == 0.97
    assert "accuracy is 0.97" in result.text


def test_the_latest_value_counts(people: People) -> None:
    version = make_version(people.ada, people.forge, metrics={"accuracy": 0.99})
    later = metric("accuracy", 0.5, timestamp=9, step=5)
    people.ada.call("POST", "runs/log-batch", {"run_id": version.run_id, "metrics": [later]})
    assert judge(people.ada, version, gate("metric", **ACCURATE))[0].state == "failed"


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("operator", [">=", "<="])
def test_what_is_no_finite_number_reaches_nothing(people: People, operator: str, value: str) -> None:
    version = make_version(people.ada, people.forge, metrics={"accuracy": value})
    (result,) = judge(people.ada, version, gate("metric", key="accuracy", operator=operator, value=0))
    assert (result.state, result.evidence["value"]) == ("failed", None)


def test_a_metric_that_was_not_logged_fails(people: People) -> None:
    (result,) = judge(people.ada, make_version(people.ada, people.forge), gate("metric", **ACCURATE))
    assert (result.state, result.text) == ("failed", "The source run has no metric 'accuracy'")


def test_the_run_that_a_label_names_does_not_count(people: People) -> None:
    good = make_version(people.ada, people.forge, metrics={"accuracy": 0.99})
    bad = make_version(people.ada, people.forge, metrics={"accuracy": 0.1})
    bad.run_id = good.run_id
    bad.save()
    assert judge(people.ada, bad, gate("metric", **ACCURATE))[0].state == "failed"


def test_a_logged_model_that_names_the_run_of_others_does_not_shine_with_it(people: People) -> None:
    good = make_version(people.ben, people.forge, metrics={"accuracy": 0.99})
    experiment = people.ada.call("POST", "experiments/create", {"name": "own"})["experiment_id"]
    body = {"experiment_id": experiment, "name": "m", "source_run_id": good.run_id}
    model_id = people.ada.call("POST", "logged-models", body)["model"]["info"]["model_id"]
    version = actions.create_version(people.ada.actor, model=good.model, source=f"models:/{model_id}")
    (result,) = judge(people.ada, version, gate("metric", **ACCURATE))
    assert (result.state, "comes from no run" in result.text) == ("failed", True)


def test_what_the_run_says_of_the_model_comes_first(people: People) -> None:
    experiment = people.ada.call("POST", "experiments/create", {"name": "own"})["experiment_id"]
    run_id, other = make_run(people.ada, experiment), make_run(people.ada, experiment)
    body = {"experiment_id": experiment, "name": "m", "source_run_id": run_id}
    model_id = people.ada.call("POST", "logged-models", body)["model"]["info"]["model_id"]
    for run, value, step in ((run_id, 0.97, 1), (other, 0.2, 9)):
        said = metric("accuracy", value, step=step, model_id=model_id)
        people.ada.call("POST", "runs/log-batch", {"run_id": run, "metrics": [said]})
    people.ada.call("POST", "runs/log-batch", {"run_id": run_id, "metrics": [metric("accuracy", 0.1, step=20)]})
    model = actions.create_model(people.ada.actor, name="iris")
    version = actions.create_version(people.ada.actor, model=model, source=f"models:/{model_id}")
    (result,) = judge(people.ada, version, gate("metric", **ACCURATE))
    assert (result.state, result.evidence["source"]) == ("passed", "logged_model")


def test_a_version_from_no_run_fails(people: People) -> None:
    version = make_version(people.ada, people.forge, metrics={"accuracy": 0.99})
    version.source_run = None
    version.save()
    (result,) = judge(people.ada, version, gate("metric", **ACCURATE))
    assert "comes from no run" in result.text


def test_numbers_are_shown_with_six_digits(people: People) -> None:
    version = make_version(people.ada, people.forge, metrics={"accuracy": 0.9733333333333})
    (result,) = judge(people.ada, version, gate("metric", **ACCURATE))
    assert result.text == "accuracy is 0.973333"


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"key": "accuracy"},
        {"key": "accuracy", "value": "much"},
        {"key": "accuracy", "value": "NaN"},
        {"key": "accuracy", "value": "1e999"},
        {"key": "accuracy", "value": True},
        {"key": "accuracy", "value": [1]},
        {"key": "accuracy", "value": 10**400},
        {"key": "a" * 251, "value": 1},
        {"key": "a\x00", "value": 1},
        {"key": "accuracy", "value": 1, "operator": "=="},
        {"key": "accuracy", "value": 1, "more": 1},
    ],
)
def test_wrong_params_are_refused(params: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        gate("metric", **params)


@pytest.mark.parametrize(
    "given",
    [None, "metric", {}, [1], [{"kind": 1}], [{"kind": "magic"}], [{"kind": "metric", "params": 1}], [{}] * 21],
)
def test_what_is_no_list_of_gates_is_refused(given: object) -> None:
    with pytest.raises(InvalidInput):
        gates.check_gates(given)
