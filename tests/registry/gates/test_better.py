from __future__ import annotations

from typing import Any

import pytest

from apps.core.errors import InvalidInput
from apps.registry.models import Alias, ModelVersion, RequestState
from apps.registry.stages import Slot
from tests.experiments.logging import metric
from tests.personas import People
from tests.registry.gates.cases import ask, evaluate, gate, judge, make_version

HIGHER = gate("better", key="accuracy")


def in_production(people: People, value: Any) -> ModelVersion:
    version = make_version(people.ada, people.forge, metrics={} if value is None else {"accuracy": value})
    version.stage = "Production"
    version.save()
    return version


def state_of(people: People, value: Any, *, slot: Slot | None = None, **params: Any) -> str:
    version = make_version(people.ada, people.forge, metrics={"accuracy": value})
    wanted = gate("better", key="accuracy", **params)
    return judge(people.ada, version, wanted, slot=slot or Slot.stage("Production"))[0].state


def test_it_passes_where_nothing_is(people: People) -> None:
    assert state_of(people, 0.1) == "passed"


@pytest.mark.parametrize(
    ("value", "params", "state"),
    [
        (0.3, {}, "passed"),
        (0.2, {}, "failed"),
        (0.1, {}, "failed"),
        (0.3, {"margin": 0.1}, "passed"),
        (0.3, {"margin": "0.11"}, "failed"),
        (0.1, {"direction": "lower"}, "passed"),
        (0.1, {"direction": "lower", "margin": 0.1}, "passed"),
        (0.3, {"direction": "lower"}, "failed"),
        ("NaN", {}, "failed"),
    ],
)
def test_it_is_compared_with_what_is_there(people: People, value: Any, params: dict[str, Any], state: str) -> None:
    in_production(people, 0.2)
    assert state_of(people, value, **params) == state


def test_the_best_of_several_counts(people: People) -> None:
    in_production(people, 0.9)
    in_production(people, 0.2)
    assert state_of(people, 0.5) == "failed"
    assert state_of(people, 0.95) == "passed"


def test_a_number_is_better_than_nan(people: People) -> None:
    in_production(people, "NaN")
    assert state_of(people, 0.1) == "passed"


def test_what_has_no_such_metric_has_to_leave_first(people: People) -> None:
    in_production(people, None)
    version = make_version(people.ada, people.forge, metrics={"accuracy": 1})
    (result,) = judge(people.ada, version, HIGHER)
    assert result.state == "failed"
    assert "it has to leave first" in result.text


def test_the_text_names_both_values(people: People) -> None:
    in_production(people, 0.25)
    version = make_version(people.ada, people.forge, metrics={"accuracy": 0.5})
    (result,) = judge(people.ada, version, HIGHER)
    assert result.text == "accuracy is 0.5, that of version 1 is 0.25"
    assert result.evidence["current"] == {"version": 1, "value": 0.25, "source": "run"}


def test_lowering_the_metric_of_what_is_there_helps_nobody(people: People) -> None:
    first = make_version(people.ada, people.forge, metrics={"accuracy": 0.9})
    request = ask(people.ada, first, gate("metric", key="accuracy", value=0.5))
    evaluate(request)
    request.state, request.closed_ms = RequestState.APPLIED, 1
    request.save()
    first.stage = "Production"
    first.save()
    worse = metric("accuracy", 0.1, timestamp=9, step=9)
    people.ada.call("POST", "runs/log-batch", {"run_id": first.run_id, "metrics": [worse]})
    assert state_of(people, 0.8) == "failed"
    assert state_of(people, 0.95) == "passed"


def test_an_alias_is_compared_with_its_holder(people: People) -> None:
    slot = Slot.alias("champion")
    assert state_of(people, 0.1, slot=slot) == "passed"
    holder = make_version(people.ada, people.forge, metrics={"accuracy": 0.5})
    Alias.objects.create(model=holder.model, version=holder, name="champion")
    assert state_of(people, 0.1, slot=slot) == "failed"


def test_an_alias_called_like_a_stage_stands_for_it(people: People) -> None:
    slot = Slot.alias("production")
    in_production(people, 0.5)
    assert state_of(people, 0.1, slot=slot) == "failed"
    holder = make_version(people.ada, people.forge, metrics={"accuracy": 0.05})
    Alias.objects.create(model=holder.model, version=holder, name="production")
    assert state_of(people, 0.1, slot=slot) == "passed"


def test_other_models_do_not_count(people: People) -> None:
    in_production(people, 0.9)
    other = make_version(people.ada, people.forge, name="other", metrics={"accuracy": 0.1})
    assert judge(people.ada, other, HIGHER)[0].state == "passed"


@pytest.mark.parametrize("params", [{"margin": -1}, {"direction": "sideways"}, {"margin": "inf"}])
def test_wrong_params_are_refused(params: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        gate("better", key="accuracy", **params)
