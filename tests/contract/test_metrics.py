from __future__ import annotations

import pytest

from tests.contract.transcript import Scenario, Transcript, assert_same
from tests.servers import Server

T = 1_700_000_000_000


def one_by_one(call: Transcript) -> None:
    run_id = call.run(call.experiment("metrics"), run_name="m")
    for step, loss in ((0, 0.5), (2, 0.25), (1, 0.125), (2, 0.75), (2, 0.25)):
        call("POST", "runs/log-metric", {"run_id": run_id, "key": "loss", "value": loss, "timestamp": T, "step": step})
    for value in ("NaN", "Infinity", "-Infinity", 1e308, -1e-320, 3, "0.5", 0.1 + 0.2, 1.7976931348623157e308):
        call("POST", "runs/log-metric", {"run_id": run_id, "key": f"odd {value}", "value": value, "timestamp": T})
    call("POST", "runs/log-metric", {"run_id": run_id, "key": "negative", "value": 1, "timestamp": T, "step": -5})
    call("POST", "runs/log-metric", {"run_id": run_id, "key": "as text", "value": 1, "timestamp": str(T), "step": "7"})
    call("GET", "runs/get", {"run_id": run_id})
    for key in ("loss", "odd NaN", "odd Infinity", "odd -Infinity", "negative", "as text", "never"):
        call("GET", "metrics/get-history", {"run_id": run_id, "metric_key": key})


def nan_and_latest(call: Transcript) -> None:
    run_id = call.run(call.experiment("nan"), run_name="n")
    for step, value in ((0, 1.0), (1, "NaN"), (2, 0.5), (3, "NaN")):
        call("POST", "runs/log-metric", {"run_id": run_id, "key": "a", "value": value, "timestamp": T, "step": step})
    for value in ("NaN", 1.0, -1.0):
        call("POST", "runs/log-metric", {"run_id": run_id, "key": "tie", "value": value, "timestamp": T, "step": 0})
    call("GET", "runs/get", {"run_id": run_id})
    call("GET", "metrics/get-history", {"run_id": run_id, "metric_key": "a"})


def bad_metrics(call: Transcript) -> None:
    run_id = call.run(call.experiment("bad metrics"), run_name="b")
    good = {"run_id": run_id, "key": "a", "value": 1.0, "timestamp": T, "step": 0}
    for name in good:
        call("POST", "runs/log-metric", {key: value for key, value in good.items() if key != name})
    for change in ({"value": "abc"}, {"value": [1]}, {"timestamp": "abc"}, {"step": "x"}):
        call("POST", "runs/log-metric", {**good, **change}, words=False)
    call("POST", "runs/log-metric", {**good, "step": 1.5}, ours=(400, "steps are not cut off to whole numbers"))
    for key in ("", "../x", "a/./b", "a?b", "k" * 250, "k" * 251):
        call("POST", "runs/log-metric", {**good, "key": key})
    call("POST", "runs/log-metric", {**good, "run_id": "0" * 32})
    call("GET", "runs/get", {"run_id": run_id})


def batches(call: Transcript) -> None:
    run_id = call.run(call.experiment("batches"), run_name="b")
    metrics = [{"key": f"m{n % 7}", "value": n / 3, "timestamp": T + n, "step": n // 7} for n in range(1000)]
    call("POST", "runs/log-batch", {"run_id": run_id, "metrics": metrics})
    call("POST", "runs/log-batch", {"run_id": run_id, "metrics": metrics})
    params = [{"key": f"p{n:03}", "value": str(n)} for n in range(100)]
    tags = [{"key": f"t{n:03}", "value": str(n)} for n in range(100)]
    call("POST", "runs/log-batch", {"run_id": run_id, "params": params})
    call("POST", "runs/log-batch", {"run_id": run_id, "params": params, "tags": tags[:3]})
    call("POST", "runs/log-batch", {"run_id": run_id, "tags": [{**tag, "value": "new"} for tag in tags]})
    call("GET", "runs/get", {"run_id": run_id})
    call("GET", "metrics/get-history", {"run_id": run_id, "metric_key": "m3"})


def batches_over_their_limits(call: Transcript) -> None:
    run_id = call.run(call.experiment("limits"), run_name="l")
    metrics = [{"key": "m", "value": n, "timestamp": T, "step": n} for n in range(1001)]
    params = [{"key": f"p{n}", "value": "1"} for n in range(101)]
    call("POST", "runs/log-batch", {"run_id": run_id, "metrics": metrics})
    call("POST", "runs/log-batch", {"run_id": run_id, "params": params})
    call("POST", "runs/log-batch", {"run_id": run_id, "tags": params})
    both = {"run_id": run_id, "metrics": metrics[:950], "params": params[:60]}
    call("POST", "runs/log-batch", both)
    call("GET", "runs/get", {"run_id": run_id})


def batches_that_are_half_wrong(call: Transcript) -> None:
    run_id = call.run(call.experiment("half wrong"), run_name="h")
    call("POST", "runs/log-parameter", {"run_id": run_id, "key": "old", "value": "1"})
    good = {"metrics": [{"key": "m", "value": 1, "timestamp": T, "step": 0}], "tags": [{"key": "t", "value": "1"}]}
    changed = [{"key": "new", "value": "1"}, {"key": "old", "value": "2"}]
    call("POST", "runs/log-batch", {"run_id": run_id, **good, "params": changed}, words=False)
    twice = [{"key": "twice", "value": "1"}, {"key": "twice", "value": "2"}]
    call("POST", "runs/log-batch", {"run_id": run_id, "params": twice}, words=False)
    same = [{"key": "same", "value": "1"}, {"key": "same", "value": "1"}]
    call("POST", "runs/log-batch", {"run_id": run_id, "params": same}, words=False)
    call("POST", "runs/log-batch", {"run_id": run_id, "tags": twice})
    call("POST", "runs/log-batch", {"run_id": run_id, "metrics": [{"key": "m", "value": 1}]})
    call("POST", "runs/log-batch", {"run_id": run_id, "metrics": [{"value": 1, "timestamp": T}]})
    call("POST", "runs/log-batch", {"run_id": run_id, "params": [{"value": "1"}]})
    call("POST", "runs/log-batch", {"run_id": run_id, "tags": [{"value": "1"}]})
    call("POST", "runs/log-batch", {"run_id": run_id, "params": [{"key": "x", "value": "v" * 6001}]}, words=False)
    call("POST", "runs/log-batch", {"run_id": run_id, "metrics": {"key": "m"}}, words=False)
    call("POST", "runs/log-batch", {"run_id": run_id})
    call("POST", "runs/log-batch", {"metrics": []})
    call("POST", "runs/log-batch", {"run_id": "0" * 32, **good})


def history_by_pages(call: Transcript) -> None:
    run_id = call.run(call.experiment("history"), run_name="h")
    metrics = [{"key": "m", "value": n, "timestamp": T + n, "step": n} for n in range(25)]
    call("POST", "runs/log-batch", {"run_id": run_id, "metrics": metrics})
    body = {"run_id": run_id, "metric_key": "m", "max_results": 10}
    for _ in range(3):
        answer = call("GET", "metrics/get-history", body)
        body = {**body, "page_token": answer.get("next_page_token", "")}
    call("GET", "metrics/get-history", {"run_id": run_id, "metric_key": "m", "max_results": 0})
    call("GET", "metrics/get-history", {"run_id": run_id, "metric_key": "m", "max_results": -1})
    call("GET", "metrics/get-history", {"run_id": run_id})
    call("GET", "metrics/get-history", {"metric_key": "m"})
    nobody = {"run_id": "0" * 32, "metric_key": "m"}
    call("GET", "metrics/get-history", nobody, ours=(404, "a run that is not there has no empty history"))
    bulk = {"run_ids": [run_id], "metric_key": "m", "max_results": 5}
    call("GET", "metrics/get-history-bulk-interval", bulk)
    call("GET", "metrics/get-history-bulk-interval", {**bulk, "start_step": 5, "end_step": 9})
    call("GET", "metrics/get-history-bulk-interval", {**bulk, "start_step": 5}, words=False)
    call("GET", "metrics/get-history-bulk-interval", {**bulk, "start_step": 9, "end_step": 5}, words=False)
    call("GET", "metrics/get-history-bulk-interval", {"metric_key": "m"}, words=False)


SCENARIOS = [
    one_by_one,
    nan_and_latest,
    bad_metrics,
    batches,
    batches_over_their_limits,
    batches_that_are_half_wrong,
    history_by_pages,
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_it_answers_as_the_peer(scenario: Scenario, theirs: Server, ours: Server) -> None:
    assert_same(scenario, theirs, ours)
