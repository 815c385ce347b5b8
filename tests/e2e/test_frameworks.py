"""Autologging, `log_model`, loading it back, registering and serving it, for each framework that is installed.

scikit-learn comes with the group `client`. The heavy ones, any of which may be left out:
`uv run --group client --with xgboost-cpu --with torch --with keras
    --with tensorflow-cpu --with tensorboard pytest -m heavy`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.clients import run_script
from tests.e2e.serving import client_env, serving
from tests.servers import Server

FRAMEWORKS = ["sklearn", "xgboost", "keras", "torch", "tensorflow"]
SCRIPTS = Path(__file__).parent / "scripts"


@pytest.mark.parametrize(
    "framework",
    [pytest.param(name, marks=[] if name == "sklearn" else [pytest.mark.heavy]) for name in FRAMEWORKS],
)
def test_it_is_autologged_comes_back_and_is_served(framework: str, up: Server, tmp_path: Path) -> None:
    if find_spec(framework) is None or find_spec("mlflow") is None:
        pytest.skip(f"{framework} is not installed")
    printed = run_script(Path(sys.executable), SCRIPTS / f"log_{framework}.py", up.client_env(), tmp_path)
    assert "came back" in printed
    wanted = json.loads((tmp_path / "served.json").read_text())
    with serving(client_env(up, tmp_path), tmp_path, wanted["uri"]) as server:
        answer = server.post({"inputs": wanted["rows"]})
        assert answer.status_code == 200, answer.text
        assert list(_flat(answer.json()["predictions"])) == pytest.approx(wanted["expected"], rel=1e-4)


def _flat(values: Any) -> Iterator[float]:
    for value in values:
        if isinstance(value, list):
            yield from _flat(value)
        else:
            yield value
