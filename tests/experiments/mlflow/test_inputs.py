"""What runs used and made: log-inputs, outputs, log-model, search-datasets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.personas import People, Persona

DATASET = {"name": "iris.csv", "digest": "d1", "source_type": "local", "source": "{}"}
FLAVORS = {"sklearn": {"config": 1, "code": 2}}
MODEL = {"artifact_path": "model", "flavors": FLAVORS, "utc_time_created": "2020", "run_id": "r"}


@pytest.fixture
def run_id(people: People) -> str:
    experiment_id = people.ada.call("POST", "experiments/create", {"name": "iris"})["experiment_id"]
    return str(people.ada.call("POST", "runs/create", {"experiment_id": experiment_id})["run"]["info"]["run_id"])


def _run(persona: Persona, run_id: str) -> Any:
    return persona.call("GET", "runs/get", {"run_id": run_id})["run"]


def _model(persona: Persona, run_id: str) -> str:
    experiment_id = _run(persona, run_id)["info"]["experiment_id"]
    answer = persona.call("POST", "logged-models", {"experiment_id": experiment_id, "name": "svm"})
    return str(answer["model"]["info"]["model_id"])


def test_datasets_are_noted_once_as_first_logged(people: People, run_id: str) -> None:
    for context in ("train", "test"):
        tags = [{"key": "mlflow.data.context", "value": context}]
        body = {"run_id": run_id, "datasets": [{"dataset": DATASET, "tags": tags}]}
        people.ada.call("POST", "runs/log-inputs", body)
    second = DATASET | {"digest": "d2", "schema": "s", "profile": "p"}
    people.ada.call("POST", "runs/log-inputs", {"run_id": run_id, "datasets": [{"dataset": second}]})
    inputs = _run(people.vera, run_id)["inputs"]["dataset_inputs"]
    assert [item["dataset"] for item in inputs] == [DATASET, second]
    assert inputs[0]["tags"] == [{"key": "mlflow.data.context", "value": "train"}]


def test_the_order_of_one_call_is_kept(people: People, run_id: str) -> None:
    datasets = [{"dataset": DATASET | {"digest": digest}} for digest in ("z", "a", "m", "a")]
    people.ada.call("POST", "runs/log-inputs", {"run_id": run_id, "datasets": datasets})
    inputs = _run(people.ada, run_id)["inputs"]["dataset_inputs"]
    assert [item["dataset"]["digest"] for item in inputs] == ["z", "a", "m"]


def test_runs_are_found_by_dataset(people: People, run_id: str) -> None:
    tags = [{"key": "mlflow.data.context", "value": "train"}]
    people.ada.call("POST", "runs/log-inputs", {"run_id": run_id, "datasets": [{"dataset": DATASET, "tags": tags}]})
    experiment_id = _run(people.ada, run_id)["info"]["experiment_id"]

    def found(text: str) -> bool:
        body = {"experiment_ids": [experiment_id], "filter": text}
        return bool(people.ada.call("POST", "runs/search", body))

    assert found("dataset.name = 'iris.csv' AND datasets.digest IN ('d1') AND dataset.context = 'train'")
    assert not found("dataset.context = 'test'")


@pytest.mark.parametrize("path", ["/api/2.0/mlflow", "/api/2.0mlflow", "/ajax-api/2.0mlflow"])
def test_search_datasets(people: People, run_id: str, path: str) -> None:
    people.ada.call("POST", "runs/log-inputs", {"run_id": run_id, "datasets": [{"dataset": DATASET}]})
    experiment_id = _run(people.ada, run_id)["info"]["experiment_id"]
    url, body = f"{path}/experiments/search-datasets", {"experiment_ids": [experiment_id]}
    summary = {"experiment_id": experiment_id, "name": "iris.csv", "digest": "d1"}
    assert people.vera.request("POST", url, body).json() == {"dataset_summaries": [summary]}
    assert people.cleo.request("POST", url, body).json() == {}
    for ids in ([], [experiment_id] * 21, ["abc"]):
        assert people.vera.request("POST", url, {"experiment_ids": ids}).status_code == 400


def test_models_in_and_out(people: People, run_id: str) -> None:
    used, made = _model(people.ada, run_id), _model(people.ada, run_id)
    people.ada.call("POST", "runs/log-inputs", {"run_id": run_id, "models": [{"model_id": used}]})
    for step in (1, 3):
        people.ada.call("POST", "runs/outputs", {"run_id": run_id, "models": [{"model_id": made, "step": step}]})
    run = _run(people.ada, run_id)
    assert run["inputs"]["model_inputs"] == [{"model_id": used}]
    assert run["outputs"]["model_outputs"] == [{"model_id": made, "step": 3}]


def test_a_model_that_is_not_there_or_not_ones_own(people: People, run_id: str) -> None:
    foreign = people.cleo.call("POST", "logged-models", {"experiment_id": "0"})["model"]["info"]["model_id"]
    for model_id in ("m-nope", foreign):
        body = {"run_id": run_id, "models": [{"model_id": model_id}]}
        people.ada.call("POST", "runs/outputs", body, expect=404)
        people.ada.call("POST", "runs/log-inputs", body | {"datasets": [{"dataset": DATASET}]}, expect=404)
    assert _run(people.ada, run_id)["inputs"] == {}


def test_log_model_appends_to_the_history(people: People, run_id: str) -> None:
    for path in ("first", "second"):
        text = json.dumps(MODEL | {"artifact_path": path, "mlflow_version": "2.0"})
        people.ada.call("POST", "runs/log-model", {"run_id": run_id, "model_json": text})
    tags = {tag["key"]: tag["value"] for tag in _run(people.ada, run_id)["data"]["tags"]}
    history = json.loads(tags["mlflow.log-model.history"])
    assert [model["artifact_path"] for model in history] == ["first", "second"]
    assert history[0]["flavors"] == {"sklearn": {"code": 2}}
    assert "mlflow_version" not in history[0]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", json.dumps(MODEL | {"flavors": []})])
def test_bad_models(people: People, run_id: str, text: str) -> None:
    answer = people.ada.call("POST", "runs/log-model", {"run_id": run_id, "model_json": text}, expect=400)
    assert answer["error_code"] == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize(
    "item",
    [
        {"dataset": DATASET | {"name": "n" * 501}},
        {"dataset": DATASET | {"digest": "d" * 37}},
        {"dataset": DATASET | {"source_type": "t" * 37}},
        {"dataset": DATASET | {"source": "s" * 65_536}},
        {"dataset": DATASET | {"schema": "s" * 1_048_576}},
        {"dataset": DATASET, "tags": [{"key": "k" * 256, "value": ""}]},
        {"dataset": DATASET, "tags": [{"key": "k", "value": "v" * 501}]},
        {"dataset": "x"},
        1,
    ],
)
def test_bad_datasets(people: People, run_id: str, item: Any) -> None:
    body = {"run_id": run_id, "datasets": [{"dataset": DATASET}, item]}
    answer = people.ada.call("POST", "runs/log-inputs", body, expect=400)
    assert answer["error_code"] == "INVALID_PARAMETER_VALUE"
    assert _run(people.ada, run_id)["inputs"] == {}


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("log-inputs", {"datasets": [{"dataset": DATASET}]}),
        ("outputs", {"models": []}),
        ("log-model", {"model_json": json.dumps(MODEL)}),
    ],
)
def test_who_may_not(people: People, run_id: str, route: str, body: dict[str, Any]) -> None:
    whole = {"run_id": run_id} | body
    people.vera.call("POST", f"runs/{route}", whole, expect=403)
    people.cleo.call("POST", f"runs/{route}", whole, expect=404)
    people.ada.call("POST", f"runs/{route}", body, expect=400)
    people.ada.call("POST", "runs/delete", {"run_id": run_id})
    answer = people.ada.call("POST", f"runs/{route}", whole, expect=400)
    assert answer["message"] == f"The run {run_id} must be in the 'active' state. Current state is deleted."
