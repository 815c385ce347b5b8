from __future__ import annotations

import pytest

from tests.contract.transcript import Scenario, Transcript, assert_same
from tests.servers import Server


def life_of_a_run(call: Transcript) -> None:
    experiment_id = call.experiment("life of a run")
    run_id = call.run(experiment_id, user_id="ada", run_name="first", tags=[{"key": "mlflow.user", "value": "ada"}])
    call("GET", "runs/get", {"run_id": run_id})
    call("GET", "runs/get", {"run_uuid": run_id})
    call("POST", "runs/update", {"run_id": run_id, "status": "FINISHED", "end_time": 1_700_000_100_000})
    call("POST", "runs/update", {"run_id": run_id, "run_name": "second"})
    call("GET", "runs/get", {"run_id": run_id})
    call("POST", "runs/update", {"run_id": run_id, "status": "RUNNING"})
    call("POST", "runs/update", {"run_id": run_id, "status": "NONSENSE"}, ours=(400, "not read as RUNNING"))
    call("POST", "runs/update", {"status": "FINISHED"})
    call("POST", "runs/update", {"run_id": "0" * 32, "status": "FINISHED"})
    call("POST", "runs/delete", {"run_id": run_id})
    call("GET", "runs/get", {"run_id": run_id})
    call("POST", "runs/update", {"run_id": run_id, "status": "FAILED"}, words=False)
    call("POST", "runs/log-parameter", {"run_id": run_id, "key": "a", "value": "b"}, words=False)
    call("POST", "runs/log-metric", {"run_id": run_id, "key": "a", "value": 1, "timestamp": 1}, words=False)
    call("POST", "runs/set-tag", {"run_id": run_id, "key": "a", "value": "b"}, words=False)
    call("POST", "runs/log-batch", {"run_id": run_id, "tags": [{"key": "a", "value": "b"}]}, words=False)
    call("POST", "runs/delete", {"run_id": run_id}, words=False)
    call("POST", "runs/restore", {"run_id": run_id})
    call("POST", "runs/restore", {"run_id": run_id}, words=False)
    call("GET", "runs/get", {"run_id": run_id})
    call("GET", "runs/get", {"run_id": "0" * 32})
    call("GET", "runs/get", {})


def names(call: Transcript) -> None:
    experiment_id = call.experiment("names of runs")
    unnamed = call.run(experiment_id)
    call("GET", "runs/get", {"run_id": unnamed})
    by_tag = call.run(experiment_id, tags=[{"key": "mlflow.runName", "value": "by tag"}])
    call("GET", "runs/get", {"run_id": by_tag})
    both = {"run_name": "by field", "tags": [{"key": "mlflow.runName", "value": "by tag"}]}
    call("POST", "runs/create", {"experiment_id": experiment_id, **both}, words=False)
    call("POST", "runs/set-tag", {"run_id": by_tag, "key": "mlflow.runName", "value": "by set-tag"})
    call("GET", "runs/get", {"run_id": by_tag})
    call("POST", "runs/update", {"run_id": by_tag, "run_name": ""})
    call("GET", "runs/get", {"run_id": by_tag})


def create_with_bad_input(call: Transcript) -> None:
    experiment_id = call.experiment("bad runs")
    call("POST", "runs/create", {"experiment_id": "987654321"})
    call("POST", "runs/create", {"experiment_id": "abc"}, words=False)
    call("POST", "runs/create", {"experiment_id": experiment_id, "start_time": "abc"})
    call("POST", "runs/create", {"experiment_id": experiment_id, "start_time": "17"})
    call("POST", "runs/create", {"experiment_id": experiment_id, "start_time": 5, "unknown_field": {"x": [1]}})


def params(call: Transcript) -> None:
    run_id = call.run(call.experiment("params"), run_name="params")
    for value in ("1", "1", "2", "", "v" * 6000, "v" * 6001, "é✓🚢"):
        call("POST", "runs/log-parameter", {"run_id": run_id, "key": "p", "value": value})
    call("POST", "runs/log-parameter", {"run_id": run_id, "key": "empty", "value": ""})
    call("POST", "runs/log-parameter", {"run_id": run_id, "key": "absent"})
    call("POST", "runs/log-parameter", {"run_id": run_id, "key": "ships", "value": "é✓🚢"})
    call("POST", "runs/log-parameter", {"run_id": run_id, "key": "wide", "value": "v" * 6000})
    for key in ("a/b c.d-e_f:g", "a//b", "/a", "../a", "a/../b", ".", "a?b", "a;b", "k" * 250, "k" * 251, ""):
        call("POST", "runs/log-parameter", {"run_id": run_id, "key": key, "value": "1"})
    call("POST", "runs/log-parameter", {"run_id": run_id, "value": "1"})
    call("POST", "runs/log-parameter", {"key": "a", "value": "1"})
    call("POST", "runs/log-parameter", {"run_id": run_id, "key": 5, "value": "1"}, words=False)
    call("POST", "runs/log-parameter", {"run_id": "0" * 32, "key": "a", "value": "1"})
    answer = call("GET", "runs/get", {"run_id": run_id})
    assert answer["run"]["data"]["params"]


def tags(call: Transcript) -> None:
    run_id = call.run(call.experiment("run tags"), run_name="tags")
    for value in ("1", "2", "", "v" * 8000):
        call("POST", "runs/set-tag", {"run_id": run_id, "key": "t", "value": value})
    call("POST", "runs/set-tag", {"run_id": run_id, "key": "t", "value": "v" * 8001}, words=False)
    for key in ("a/b", "../a", "", "k" * 250, "k" * 251, "a?b"):
        call("POST", "runs/set-tag", {"run_id": run_id, "key": key, "value": "1"})
    call("POST", "runs/delete-tag", {"run_id": run_id, "key": "t"})
    call("POST", "runs/delete-tag", {"run_id": run_id, "key": "t"}, words=False)
    call("POST", "runs/delete-tag", {"run_id": run_id})
    call("POST", "runs/delete-tag", {"run_id": "0" * 32, "key": "t"})
    call("POST", "runs/set-tag", {"run_id": run_id, "key": "mlflow.parentRunId", "value": "1" * 32})
    call("GET", "runs/get", {"run_id": run_id})


def inputs_and_outputs(call: Transcript) -> None:
    experiment_id = call.experiment("inputs")
    run_id = call.run(experiment_id, run_name="inputs")
    dataset = {"name": "iris", "digest": "abc", "source_type": "local", "source": '{"uri": "iris.csv"}'}
    described = {**dataset, "schema": '{"a": 1}', "profile": '{"rows": 150}'}
    context = [{"key": "mlflow.data.context", "value": "training"}]
    call("POST", "runs/log-inputs", {"run_id": run_id, "datasets": [{"tags": context, "dataset": described}]})
    call("POST", "runs/log-inputs", {"run_id": run_id, "datasets": [{"tags": context, "dataset": described}]})
    call("GET", "runs/get", {"run_id": run_id})
    for lacking in ("name", "digest", "source_type", "source"):
        broken = {name: value for name, value in dataset.items() if name != lacking}
        call("POST", "runs/log-inputs", {"run_id": run_id, "datasets": [{"dataset": broken}]}, words=False)
    for name, length in (("name", 501), ("digest", 37), ("source", 65_536), ("schema", 1_048_576)):
        broken = {**described, name: "x" * length}
        call("POST", "runs/log-inputs", {"run_id": run_id, "datasets": [{"dataset": broken}]}, words=False)
    call("POST", "runs/log-inputs", {"datasets": []})
    call("POST", "runs/log-inputs", {"run_id": "0" * 32, "datasets": [{"dataset": dataset}]}, words=False)
    made = call("POST", "logged-models", {"experiment_id": experiment_id, "name": "m", "source_run_id": run_id})
    model_id = made["model"]["info"]["model_id"]
    call("POST", "runs/outputs", {"run_id": run_id, "models": [{"model_id": model_id, "step": 3}]})
    call("POST", "runs/log-inputs", {"run_id": run_id, "models": [{"model_id": model_id}]})
    call("GET", "runs/get", {"run_id": run_id})


def requests_that_cannot_be_read(call: Transcript) -> None:
    run_id = call.run(call.experiment("unreadable"), run_name="x")
    call(
        "POST", "runs/log-parameter", '"{\\"run_id\\": \\"' + run_id + '\\", \\"key\\": \\"a\\", \\"value\\": \\"b\\"}"'
    )
    call("POST", "runs/log-parameter", {"run_id": run_id, "run_uuid": run_id, "key": None, "value": None})
    nothing = {"run_id": run_id, "metrics": None, "params": None, "tags": None}
    call("POST", "runs/log-batch", nothing, ours=(200, "null is the default everywhere"))
    call("GET", "runs/get", {"run_id": run_id})


SCENARIOS = [
    life_of_a_run,
    names,
    create_with_bad_input,
    params,
    tags,
    inputs_and_outputs,
    requests_that_cannot_be_read,
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_it_answers_as_the_peer(scenario: Scenario, theirs: Server, ours: Server) -> None:
    assert_same(scenario, theirs, ours)
