"""The Open Inference Protocol, version 2, over models of each kind of signature."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.deployments.scoring.asking import Said, ask, config
from tests.deployments.scoring.conftest import Loaded
from tests.deployments.scoring.models import IRIS

pytestmark = [pytest.mark.client, pytest.mark.xdist_group("scoring")]

ROWS = [[5.1, 3.5, 1.4, 0.2], [6.3, 2.5, 5.0, 1.9]]
FLAT = [value for row in ROWS for value in row]


def tensor(name: str, datatype: str, shape: list[int], data: Any, content_type: str = "") -> dict[str, Any]:
    parameters = {"parameters": {"content_type": content_type}} if content_type else {}
    return {"name": name, "datatype": datatype, "shape": shape, "data": data, **parameters}


def infer(loaded: Loaded, model: str, *inputs: dict[str, Any], path: str = "models/m", **more: Any) -> Said:
    return ask(loaded(model)[0], {"inputs": list(inputs), **more}, path=f"/v2/{path}/infer")


def data_of(said: Said) -> Any:
    assert said.status == 200, said
    return said.value["outputs"][0]["data"]


def get(loaded: Loaded, path: str, model: str = "svc") -> Said:
    return ask(loaded(model)[0], b"", path=path, method="GET")


def test_what_it_says_of_itself(loaded: Loaded) -> None:
    assert get(loaded, "/v2").value == {"name": "slipway", "version": "3", "extensions": []}
    assert get(loaded, "/v2/health/live") == Said(200, {"live": True})
    assert get(loaded, "/v2/health/ready") == Said(200, {"ready": True})
    assert get(loaded, "/v2/models/m/ready").value == {"name": "m", "ready": True}
    assert get(loaded, "/v2/models/m/versions/3/ready").status == 200
    for wrong in ("/v2/models/other", "/v2/models/m/versions/4", "/v2/models/m/else", "/v2/else"):
        said = get(loaded, wrong)
        assert (said.status, list(said.value)) == (404, ["error"])


@pytest.mark.parametrize(
    ("model", "inputs"),
    [
        ("svc", [(name, "FP64", [-1, 1]) for name in IRIS]),
        ("mixed", [("long", "INT64", [-1, 1]), ("integer", "INT32", [-1, 1]), ("double", "FP64", [-1, 1])]),
        ("by_name", [(IRIS[0], "FP64", [-1, 1]), (IRIS[1], "FP64", [-1, 1]), ("colour", "BYTES", [-1, 1])]),
        ("tensor", [("input-1", "FP64", [-1, 4])]),
        ("echo_tensors", [("one", "FP32", [-1, 3]), ("two", "INT64", [-1])]),
        ("unsigned", []),
    ],
)
def test_what_it_says_of_a_model(loaded: Loaded, model: str, inputs: list[Any]) -> None:
    said = get(loaded, "/v2/models/m", model).value
    assert (said["name"], said["versions"], said["platform"]) == ("m", ["3"], "mlflow")
    described = [(each["name"], each["datatype"], each["shape"]) for each in said["inputs"]]
    assert described[: len(inputs)] == inputs


@pytest.mark.parametrize("model", ["svc", "tensor", "unsigned"])
@pytest.mark.parametrize("datatype", ["FP64", "FP32", "FP16"])
@pytest.mark.parametrize("data", [ROWS, FLAT])
def test_a_matrix(loaded: Loaded, model: str, datatype: str, data: Any) -> None:
    said = infer(loaded, model, tensor("x", datatype, [2, 4], data), id="7", path="models/m/versions/3")
    assert data_of(said) == [0, 2]
    assert {key: said.value[key] for key in ("id", "model_name", "model_version")} == {
        "id": "7",
        "model_name": "m",
        "model_version": "3",
    }
    output = said.value["outputs"][0]
    assert (output["datatype"], output["shape"]) == ("INT64", [2])


def test_columns(loaded: Loaded) -> None:
    columns = [tensor(name, "FP64", [2, 1], [row[place] for row in ROWS]) for place, name in enumerate(IRIS)]
    assert data_of(infer(loaded, "svc", *columns[::-1])) == [0, 2]
    assert data_of(infer(loaded, "svc", *columns, parameters={"content_type": "pd"})) == [0, 2]
    missing = infer(loaded, "svc", *columns[:3])
    assert missing.status == 400
    assert "petal_width" in missing.value["error"]


def test_texts(loaded: Loaded) -> None:
    columns = [tensor(IRIS[0], "FP64", [2], [5.1, 6.3]), tensor(IRIS[1], "FP32", [2], [3.5, 2.5])]
    said = infer(loaded, "by_name", *columns, tensor("colour", "BYTES", [2], ["blue", "red"], "str"))
    assert len(data_of(said)) == 2
    assert data_of(infer(loaded, "words", tensor("x", "FP64", [2, 4], FLAT))) == ["k0", "k2"]
    (given,) = data_of(infer(loaded, "echo", tensor("x", "BYTES", [1], [base64.b64encode(b"\xff").decode()], "base64")))
    assert "xff" in json.loads(given)[0][1]


def test_floats_and_frames_come_back(loaded: Loaded) -> None:
    said = infer(loaded, "probabilities", tensor("x", "FP64", [2, 4], FLAT)).value["outputs"][0]
    assert (said["datatype"], said["shape"], len(said["data"])) == ("FP64", [2, 3], 6)
    columns = [tensor("x", "FP64", [2], [1, 2]), tensor("y", "FP64", [2], [3, 4])]
    outputs = infer(loaded, "framed", *columns).value["outputs"]
    assert [(each["name"], each["datatype"]) for each in outputs] == [
        ("x", "FP64"),
        ("y", "FP64"),
        ("total", "FP64"),
        ("label", "BYTES"),
    ]
    only = infer(loaded, "framed", *columns, outputs=[{"name": "total"}]).value["outputs"]
    assert [each["data"] for each in only] == [[4.0, 6.0]]


def test_tensors_by_name(loaded: Loaded) -> None:
    one, two = tensor("one", "FP32", [1, 3], [1, 2, 3]), tensor("two", "INT64", [1], [4])
    (said,) = data_of(infer(loaded, "echo_tensors", one, two))
    assert "float32" in json.loads(said)[0][1]
    assert infer(loaded, "echo_tensors", one).status == 400


def test_params(loaded: Loaded) -> None:
    columns = [tensor("a", "FP64", [1], [1.5]), tensor("b", "INT64", [1], [2])]
    (said,) = data_of(infer(loaded, "echo_params", *columns, parameters={"params": {"k": 9}}))
    assert "'k': 9" in json.loads(said)[1]


GOOD = tensor("x", "FP64", [1, 4], ROWS[0])
BAD: dict[str, Any] = {
    "no inputs": {},
    "inputs are none": {"inputs": []},
    "inputs are a text": {"inputs": "x"},
    "an input is a text": {"inputs": ["x"]},
    "no data": {"inputs": [{"name": "x", "shape": [1], "datatype": "FP64"}]},
    "no shape": {"inputs": [{"name": "x", "data": [1], "datatype": "FP64"}]},
    "shape and data": {"inputs": [{**GOOD, "shape": [2, 4]}]},
    "a negative shape": {"inputs": [{**GOOD, "shape": [-1, 4]}]},
    "a shape of texts": {"inputs": [{**GOOD, "shape": ["1", 4]}]},
    "an unknown type": {"inputs": [{**GOOD, "datatype": "FP8"}]},
    "texts for numbers": {"inputs": [{**GOOD, "data": ["a", "b", "c", "d"]}]},
    "null": {"inputs": [{**GOOD, "data": [None, 1, 2, 3]}]},
    "floats for whole numbers": {"inputs": [{**GOOD, "datatype": "INT64"}]},
    "too large": {"inputs": [{**GOOD, "datatype": "INT8", "data": [1000, 1, 1, 1]}]},
    "negative for unsigned": {"inputs": [{**GOOD, "datatype": "UINT64", "data": [-1, 1, 1, 1]}]},
    "booleans for numbers": {"inputs": [{**GOOD, "data": [True, 1, 1, 1]}]},
    "numbers for texts": {"inputs": [{**GOOD, "datatype": "BYTES"}]},
    "no base64": {"inputs": [tensor("x", "BYTES", [1], ["*"], "base64")]},
    "a name twice": {"inputs": [GOOD, GOOD]},
    "three columns": {"inputs": [tensor("x", "FP64", [1, 3], [1, 2, 3])]},
    "an unknown output": {"inputs": [GOOD], "outputs": [{"name": "z"}]},
    "an output twice": {"inputs": [GOOD], "outputs": [{"name": "output-1"}, {"name": "output-1"}]},
    "an output that is a list": {"inputs": [GOOD], "outputs": [{"name": ["output-1"]}]},
    "too many dimensions": {"inputs": [{**GOOD, "shape": [1] * 33 + [4]}]},
    "a shape that takes hours": {"inputs": [{**GOOD, "shape": [10**18] * 200_000}]},
    "uneven columns": {"inputs": [tensor("a", "FP64", [1], [1]), tensor("b", "FP64", [2], [1, 2])]},
    "no rows": {"inputs": [tensor("x", "FP64", [0, 4], [])]},
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(loaded: Loaded, name: str) -> None:
    said = ask(loaded("svc")[0], BAD[name], path="/v2/models/m/infer", settings=config(timeout_s=3))
    assert said.status == 400, said
    assert set(said.value) == {"error"} and len(said.value["error"]) < 1000


def test_an_error_of_the_model(loaded: Loaded) -> None:
    said = infer(loaded, "moody", tensor("x", "FP64", [1], [-1.5]))
    assert (said.status, set(said.value)) == (400, {"error"})
    assert "negative" not in said.value["error"]
