"""The large frameworks, any of which may be left out:

`uv run --group client --with torch --with xgboost-cpu --with lightgbm --with onnx --with onnxruntime --with keras
--with tensorflow-cpu pytest -m heavy tests/deployments/scoring`.
"""

from __future__ import annotations

import importlib.util
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apps.deployments.scoring.model import Model
from tests.deployments.scoring.asking import Said, ask, ask_all, ask_mlflow, config
from tests.deployments.scoring.frameworks import FRAMEWORKS, NEEDS
from tests.deployments.scoring.models import IRIS
from tests.deployments.scoring.serving import serving
from tests.deployments.scoring.test_bodies import same

ROWS: list[list[float]] = [[5.1, 3.5, 1.4, 0.2], [6.3, 2.5, 5.0, 1.9], [5, 3, 1, 0]]
BODIES: dict[str, Any] = {
    "rows": {"dataframe_split": {"columns": IRIS, "data": ROWS}},
    "one row": {"dataframe_split": {"columns": IRIS, "data": ROWS[:1]}},
    "another order": {"dataframe_split": {"columns": IRIS[::-1], "data": ROWS}},
    "records": {"dataframe_records": [dict(zip(IRIS, row, strict=True)) for row in ROWS]},
    "null": {"dataframe_split": {"columns": IRIS, "data": [[None, *ROWS[0][1:]]]}},
    "a text": {"dataframe_split": {"columns": IRIS, "data": [["x", *ROWS[0][1:]]]}},
    "inputs": {"inputs": ROWS},
    "inputs, one": {"inputs": ROWS[:1]},
    "instances": {"instances": ROWS},
    "inputs, narrow": {"inputs": [[1.0, 2.0]]},
    "inputs, flat": {"inputs": ROWS[0]},
    "inputs, texts": {"inputs": [["5.1", "3.5", "1.4", "0.2"]]},
    "inputs, nulls": {"inputs": [[None, 1, 2, 3]]},
    "inputs, empty": {"inputs": []},
    "nothing": {},
}


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=[pytest.mark.heavy, pytest.mark.xdist_group(name)]) for name in FRAMEWORKS],
)
def framework(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """The folder of a model, and the model as MLflow loads it."""
    name: str = request.param
    if importlib.util.find_spec(NEEDS[name]) is None:
        pytest.skip(f"{NEEDS[name]} is not installed")
    import mlflow.pyfunc

    folder = FRAMEWORKS[name](tmp_path_factory.mktemp("frameworks") / name)
    return folder, mlflow.pyfunc.load_model(str(folder))


def test_bodies(framework: tuple[Path, Any]) -> None:
    """Each as MLflow's server answers it, one by one."""
    ours = Model(framework[1], config())
    assert ours.quick is not None
    used = 0
    for name, body in BODIES.items():
        theirs, said = ask_mlflow(framework[1], body), ask(ours, body)
        used += theirs.status == 200
        if theirs.status >= 500:
            assert 400 <= said.status < 500, (name, said)
        else:
            assert said.status == theirs.status, (name, said, theirs)
            assert same(said.value, theirs.value), (name, said, theirs)
    assert used >= 3


def test_together(framework: tuple[Path, Any]) -> None:
    """In batches the last bits may differ, as they do where a matrix product is cut differently."""
    ours = Model(framework[1], config())
    assert ours.batched
    bodies = [{"data": ROWS[: 1 + n % 3]} for n in range(12)]
    for body, said in zip(bodies, ask_all(ours, [json.dumps(each).encode() for each in bodies]), strict=True):
        assert near(said, ask(ours, body))


def test_open_inference(framework: tuple[Path, Any]) -> None:
    ours = Model(framework[1], config())
    tensor = {"name": "x", "shape": [3, 4], "datatype": "FP32", "data": ROWS}
    said = ask(ours, {"inputs": [tensor]}, path="/v2/models/m/infer")
    assert said.status == 200, said
    assert said.value["outputs"][0]["shape"][0] == 3


def test_as_a_process(framework: tuple[Path, Any], tmp_path: Path, folder_of: Callable[[str], Path]) -> None:
    with serving(framework[0], tmp_path, workers=2) as served:
        served.wait_ready()
        expected = ask(Model(framework[1], config()), {"data": ROWS})
        for _ in range(10):
            status, value = served.ask({"data": ROWS})
            assert near(Said(status, value), expected)


def near(one: Said, other: Said) -> bool:
    return one.status == other.status == 200 and _near(one.value, other.value)


def _near(one: Any, other: Any) -> bool:
    if isinstance(one, float):
        return math.isclose(one, other, rel_tol=1e-4, abs_tol=1e-6)
    if isinstance(one, list):
        return len(one) == len(other) and all(_near(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_near(one[key], other[key]) for key in one)
    return bool(one == other)
