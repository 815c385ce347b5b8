from __future__ import annotations

import math
from typing import Any

import pytest

from apps.accounts.models import Grant, ObjectKind
from apps.core.actor import Level, Scope
from apps.experiments.models import LoggedModel, LoggedModelMetric, Point, Series
from tests.experiments.logging import get_run, history_of, make_experiment, make_run, metric
from tests.personas import People, Persona, token_for


def log(who: Persona, run_id: str, expect: int = 200, **fields: Any) -> Any:
    return who.call("POST", "runs/log-metric", {"run_id": run_id, **metric(**fields)}, expect=expect)


def test_the_latest_value_is_that_of_the_greatest_step(people: People) -> None:
    run_id = make_run(people.ada)
    log(people.ada, run_id, value=3.0, step=2, timestamp=1)
    log(people.ben, run_id, value=1.0, step=1, timestamp=9)
    assert get_run(people.ada, run_id)["data"]["metrics"] == [metric(value=3.0, step=2)]
    series = Series.objects.get()
    assert (series.min_value, series.max_value, series.count) == (1.0, 3.0, 2)


def test_the_same_again_changes_nothing(people: People) -> None:
    run_id = make_run(people.ada)
    for _ in range(3):
        assert log(people.ada, run_id, value=0.5) == {}
    assert (Point.objects.count(), Series.objects.get().count) == (1, 1)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("NaN", "NaN"),
        ("Infinity", 1.7976931348623157e308),
        ("-Infinity", -1.7976931348623157e308),
        ("1.5", 1.5),
        (0, 0.0),
        (5e-324, 5e-324),
        (0.1 + 0.2, 0.1 + 0.2),
    ],
)
def test_odd_values_are_read_back(people: People, sent: Any, shown: Any) -> None:
    run_id = make_run(people.ada)
    log(people.ada, run_id, value=sent)
    assert history_of(people.ada, run_id)["metrics"][0]["value"] == shown
    assert get_run(people.ada, run_id)["data"]["metrics"][0]["value"] == shown


def test_nan_is_no_extreme(people: People) -> None:
    run_id = make_run(people.ada)
    log(people.ada, run_id, value="NaN")
    assert (Series.objects.get().min_value, Series.objects.get().max_value) == (None, None)
    log(people.ada, run_id, value=-2.0, step=-1)
    series = Series.objects.get()
    assert (series.min_value, series.max_value, series.last_is_nan, series.count) == (-2.0, -2.0, True, 2)
    assert math.isclose(series.last_value, 0.0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("value", "abc"),
        ("value", [1]),
        ("value", None),
        ("value", ""),
        ("timestamp", -1),
        ("timestamp", None),
        ("timestamp", 2**63),
        ("timestamp", 10**30),
        ("step", "x"),
        ("step", 2**63),
        ("key", ""),
        ("key", None),
        ("key", 5),
        ("key", "k" * 251),
        ("key", "k" * 100_000),
        ("key", "../x"),
        ("key", "/a"),
        ("key", "a//b"),
        ("key", "a#b"),
        ("key", "a\n"),
        ("key", "a\0"),
        ("key", "\ud800"),
        ("run_id", ""),
    ],
)
def test_bad_input_stores_nothing(people: People, field: str, value: Any) -> None:
    body = {"run_id": make_run(people.ada), **metric(), field: value}
    answer = people.ada.call("POST", "runs/log-metric", body, expect=400)
    assert answer["error_code"] in {"INVALID_PARAMETER_VALUE", "BAD_REQUEST"}
    assert Series.objects.count() == Point.objects.count() == 0


def test_the_messages_are_the_protocols(people: People) -> None:
    run_id = make_run(people.ada)
    assert log(people.ada, run_id, 400, key="k" * 251)["message"] == (
        "'Metric name' exceeds the maximum length of 250 characters"
    )
    assert log(people.ada, run_id, 400, timestamp=-1)["message"] == (
        "Invalid value -1 for parameter 'timestamp' supplied: metric 'loss' (value=1.0). "
        "Timestamp must be a nonnegative long (64-bit integer) "
    )


@pytest.mark.parametrize("key", ["a/b c:d-e_f.g", "ключ", "k" * 250])
def test_allowed_keys(people: People, key: str) -> None:
    run_id = make_run(people.ada)
    log(people.ada, run_id, key=key)
    assert get_run(people.ada, run_id)["data"]["metrics"][0]["key"] == key


def test_who_may(people: People) -> None:
    experiment_id = make_experiment(people.ada)
    run_id = make_run(people.ada, experiment_id)
    log(people.vera, run_id, 403)
    log(people.cleo, run_id, 404)
    log(people.ada, "nope", 404)
    log(people.root, run_id)
    share = {"kind": ObjectKind.EXPERIMENT, "object_id": int(experiment_id)}
    grant = Grant.objects.create(**share, team=people.harbour, level=Level.READ)
    log(people.cleo, run_id, 403)
    grant.level = Level.EDIT
    grant.save()
    log(people.cleo, run_id, step=7)
    assert len(history_of(people.cleo, run_id)["metrics"]) == 2


def test_a_token_for_reading_does_not_reach_it(people: People) -> None:
    reader = Persona(people.ada.user, token_for(people.ada.user, Scope.READ))
    log(reader, make_run(people.ada), 403)


def test_a_metric_of_a_model_is_kept_with_the_model(people: People) -> None:
    experiment_id = make_experiment(people.ada)
    run_id = make_run(people.ada, experiment_id)
    LoggedModel.objects.create(model_id="m-1", experiment_id=int(experiment_id), name="m", created_ms=1, updated_ms=1)
    of_model: dict[str, Any] = {"model_id": "m-1", "dataset_name": "d", "dataset_digest": "x"}
    for _ in range(2):
        log(people.ada, run_id, value=0.5, **of_model)
    kept = LoggedModelMetric.objects.get()
    assert (kept.key, kept.value, kept.dataset_name, kept.dataset_digest) == ("loss", 0.5, "d", "x")
    assert kept.run.run_id == run_id
    assert Series.objects.get().count == 1


def test_an_unknown_model_stores_nothing(people: People) -> None:
    run_id = make_run(people.ada)
    theirs = int(make_experiment(people.cleo))
    LoggedModel.objects.create(model_id="m-theirs", experiment_id=theirs, name="m", created_ms=1, updated_ms=1)
    for model_id in ("m-nope", "m-theirs"):
        answer = log(people.ada, run_id, 404, model_id=model_id)
        assert answer["message"] == f"Logged model with ID '{model_id}' not found."
    assert Series.objects.count() == LoggedModelMetric.objects.count() == 0
