from __future__ import annotations

from typing import Any

import pytest

from tests.contract.transcript import Scenario, Transcript, assert_same
from tests.servers import Server

T = 1_700_000_000_000


def make(call: Transcript, experiment_id: str, name: str = "model", **more: Any) -> str:
    answer = call("POST", "logged-models", {"experiment_id": experiment_id, "name": name, **more})
    model_id: str = answer["model"]["info"]["model_id"]
    return model_id


def life_of_a_model(call: Transcript) -> None:
    experiment_id = call.experiment("logged models")
    run_id = call.run(experiment_id, run_name="source")
    model_id = make(
        call,
        experiment_id,
        model_type="sklearn",
        source_run_id=run_id,
        params=[{"key": "c", "value": "1"}],
        tags=[{"key": "t", "value": "1"}],
    )
    call("GET", f"logged-models/{model_id}")
    call("PATCH", f"logged-models/{model_id}", {"model_id": model_id, "status": "LOGGED_MODEL_READY"})
    call("GET", f"logged-models/{model_id}")
    call("PATCH", f"logged-models/{model_id}/tags", {"tags": [{"key": "t", "value": "2"}, {"key": "u", "value": "3"}]})
    call("DELETE", f"logged-models/{model_id}/tags/t")
    call("DELETE", f"logged-models/{model_id}/tags/t", words=False)
    body = {"model_id": model_id, "params": [{"key": "d", "value": "2"}]}
    call("POST", f"logged-models/{model_id}/params", body)
    metric = {"run_id": run_id, "key": "acc", "value": 0.9, "timestamp": T, "step": 1, "model_id": model_id}
    call("POST", "runs/log-metric", {**metric, "dataset_name": "iris", "dataset_digest": "abc"})
    call("POST", "runs/log-batch", {"run_id": run_id, "metrics": [{**metric, "key": "f1", "value": 0.8}]})
    call("GET", f"logged-models/{model_id}")
    call("GET", "runs/get", {"run_id": run_id})
    call("DELETE", f"logged-models/{model_id}")
    call("GET", f"logged-models/{model_id}", words=False)
    call("DELETE", f"logged-models/{model_id}", words=False)


def bad_models(call: Transcript) -> None:
    experiment_id = call.experiment("bad logged models")
    call("POST", "logged-models", {"experiment_id": "987654321", "name": "x"}, words=False)
    call("POST", "logged-models", {"experiment_id": experiment_id, "name": "a/b"}, words=False)
    call("POST", "logged-models", {"experiment_id": experiment_id, "name": "a:b"}, words=False)
    call("POST", "logged-models", {"name": "x"}, words=False)
    model_id = make(call, experiment_id)
    call("PATCH", f"logged-models/{model_id}", {"model_id": model_id, "status": "NONSENSE"}, words=False)
    call("GET", "logged-models/m-" + "0" * 32, words=False)
    call("PATCH", "logged-models/m-" + "0" * 32 + "/tags", {"tags": [{"key": "a", "value": "b"}]}, words=False)


def search(call: Transcript) -> None:
    experiment_id = call.experiment("logged model search")
    run_id = call.run(experiment_id, run_name="source")
    for number in range(4):
        model_id = make(
            call,
            experiment_id,
            f"model-{number}",
            model_type="xgboost" if number % 2 else "sklearn",
            source_run_id=run_id,
            params=[{"key": "c", "value": str(number)}],
            tags=[{"key": "parity", "value": "odd" if number % 2 else "even"}],
        )
        metric = {"run_id": run_id, "key": "acc", "value": number / 10, "timestamp": T, "model_id": model_id}
        call("POST", "runs/log-metric", metric)
        on_iris = {"dataset_name": "iris", "dataset_digest": "abc", "value": 1 - number / 10, "step": 1}
        call("POST", "runs/log-metric", {**metric, **on_iris})
    base: dict[str, Any] = {"experiment_ids": [experiment_id], "max_results": 10}
    by_name = [{"field_name": "name", "ascending": True}]
    for filter_string in (
        "name = 'model-1'",
        "name LIKE 'model-%'",
        "model_type = 'sklearn'",
        "attributes.model_type != 'sklearn'",
        "params.c = '2'",
        "tags.parity = 'odd'",
        "metrics.acc > 0.15",
        f"source_run_id = '{run_id}'",
        "status = 'PENDING'",
        "creation_timestamp > 0",
    ):
        call("POST", "logged-models/search", {**base, "filter": filter_string, "order_by": by_name})
    on_iris_only = [{"dataset_name": "iris", "dataset_digest": "abc"}]
    body = {**base, "filter": "metrics.acc > 0.85", "datasets": on_iris_only, "order_by": by_name}
    call("POST", "logged-models/search", body)
    for order in (
        [{"field_name": "metrics.acc", "ascending": False, "dataset_name": "iris"}],
        [{"field_name": "name", "ascending": False}],
        [{"field_name": "creation_timestamp", "ascending": True}],
    ):
        call("POST", "logged-models/search", {**base, "order_by": order})
    for bad in ("nonsense = 'x'", "name > 'x'", "metrics.acc = 'x'", "name ="):
        call("POST", "logged-models/search", {**base, "filter": bad}, words=False)
    page = {**base, "max_results": 3, "order_by": by_name}
    answer = call("POST", "logged-models/search", page)
    call("POST", "logged-models/search", {**page, "page_token": answer["next_page_token"]})
    call("POST", "logged-models/search", {"experiment_ids": []}, words=False)


SCENARIOS = [life_of_a_model, bad_models, search]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_it_answers_as_the_peer(scenario: Scenario, theirs: Server, ours: Server) -> None:
    assert_same(scenario, theirs, ours)
