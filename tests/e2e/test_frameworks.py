"""Autologging, `log_model` and loading it back, for each framework that is installed.

scikit-learn comes with the group `client`. The heavy ones, any of which may be left out:
`uv run --group client --with xgboost-cpu --with torch --with keras
    --with tensorflow-cpu --with tensorboard pytest -m heavy`.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.e2e.clients import run_script
from tests.servers import Server

FRAMEWORKS = ["sklearn", "xgboost", "keras", "torch", "tensorflow"]
SCRIPTS = Path(__file__).parent / "scripts"


@pytest.mark.parametrize(
    "framework",
    [pytest.param(name, marks=[] if name == "sklearn" else [pytest.mark.heavy]) for name in FRAMEWORKS],
)
def test_it_is_autologged_and_its_model_comes_back(framework: str, up: Server, tmp_path: Path) -> None:
    if find_spec(framework) is None or find_spec("mlflow") is None:
        pytest.skip(f"{framework} is not installed")
    printed = run_script(Path(sys.executable), SCRIPTS / f"log_{framework}.py", up.client_env(), tmp_path)
    assert "came back" in printed
