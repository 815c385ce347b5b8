"""Requests that arrive together are answered as if each had come alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.deployments.scoring.board import BATCH_ROWS, BATCHES, Board
from tests.deployments.scoring.asking import ask, ask_all, ask_mlflow, config
from tests.deployments.scoring.conftest import Loaded
from tests.deployments.scoring.models import IRIS

pytestmark = [pytest.mark.client, pytest.mark.xdist_group("scoring")]

number = st.one_of(st.floats(-10, 10, width=32), st.integers(-10, 10))
odd = st.sampled_from([None, "x", True, [1], 2**70])
good = st.lists(st.lists(number, min_size=4, max_size=4), min_size=1, max_size=4)
bad = st.lists(st.lists(st.one_of(number, odd), min_size=3, max_size=5), max_size=3)
body = st.one_of(
    good.map(lambda rows: {"dataframe_split": {"columns": IRIS, "data": rows}}),
    good.map(lambda rows: {"dataframe_split": {"columns": IRIS[::-1], "data": rows}}),
    good.map(lambda rows: {"data": rows}),
    bad.map(lambda rows: {"dataframe_split": {"columns": IRIS, "data": rows}}),
    bad.map(lambda rows: {"data": rows}),
    st.just({"rows": 1}),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies=st.lists(body, min_size=1, max_size=12), model=st.sampled_from(["svc", "words", "forest"]))
def test_together_is_as_alone(loaded: Loaded, bodies: list[Any], model: str) -> None:
    ours, _ = loaded(model)
    together = ask_all(ours, [json.dumps(each).encode() for each in bodies])
    assert together == [ask(ours, each) for each in bodies]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.floats(-4, 9, width=32), min_size=2, max_size=10))
def test_an_error_is_told_to_its_own_caller_alone(loaded: Loaded, values: list[float]) -> None:
    ours, _ = loaded("moody", config(batching={"enabled": True}))
    assert ours.batched
    bodies = [json.dumps({"data": [[value]]}).encode() for value in values]
    for value, said in zip(values, ask_all(ours, bodies), strict=True):
        if value < 0:
            assert said.status == 400
            assert said.value["error_code"] == "BAD_REQUEST"
        else:
            assert said.predictions == [value * 2]


def test_what_waits_is_predicted_at_once(loaded: Loaded) -> None:
    ours, _ = loaded("svc")
    board = Board(1)
    said = ask_all(ours, [b'{"data": [[5.1, 3.5, 1.4, 0.2], [6.3, 2.5, 5.0, 1.9]]}'] * 20, board=board)
    assert [each.predictions for each in said] == [[0, 2]] * 20
    assert board.total(BATCH_ROWS) == 40
    assert board.total(BATCHES) < 20


def test_batches_are_no_larger_than_allowed(loaded: Loaded) -> None:
    ours, _ = loaded("svc")
    board = Board(1)
    limits = config(batching={"max_rows": 4})
    ask_all(ours, [b'{"data": [[5.1, 3.5, 1.4, 0.2], [6.3, 2.5, 5.0, 1.9]]}'] * 10, board=board, settings=limits)
    assert board.total(BATCHES) >= 5


def test_what_is_batched_by_default(loaded: Loaded) -> None:
    assert loaded("svc")[0].batched
    assert loaded("tensor")[0].batched
    # A custom model may look at its whole input, and params belong to one request.
    assert not loaded("moody")[0].batched
    assert not loaded("echo_params")[0].batched
    assert not loaded("by_name")[0].batched
    assert not loaded("svc", config(batching={"enabled": False}))[0].batched


@pytest.mark.parametrize("model", ["svc", "forest", "linear", "mixed", "longs", "probabilities"])
def test_the_short_way_has_equal_bits(loaded: Loaded, model: str) -> None:
    """On many rows at once, where the order of sums shows, against MLflow's server."""
    ours, pyfunc = loaded(model)
    names = pyfunc.metadata.get_input_schema().input_names()
    whole = {"longs": [0, 1], "mixed": [0, 1]}.get(model, [])
    rows = [
        [(n * 7 + c) % 13 if c in whole else (n * 7919 + c * 104729) % 1000 / 123 for c in range(len(names))]
        for n in range(200)
    ]
    body = {"dataframe_split": {"columns": names, "data": rows}}
    assert ours.quick is not None
    assert ours.quick.portion(body) is not None
    assert ask(ours, body) == ask_mlflow(pyfunc, body)
