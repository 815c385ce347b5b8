"""What the server is started with, and what it is not given."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from apps.deployments.serve import programs
from apps.deployments.serve.programs import Model, Place, Settings, command_of, variables_of

_PROGRAM = """
import json, pathlib, sys
here, config = pathlib.Path(__file__).parent, pathlib.Path(sys.argv[1])
beside = [path for path in sys.path if path in ("", str(here), str(pathlib.Path.cwd()))]
print(json.dumps({"name": __name__, "beside": beside, "path": sys.path, "config": json.loads(config.read_text())}))
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tells what it was started with, in the place of Slipway's scoring server."""
    place = tmp_path / "program" / "launch.py"
    place.parent.mkdir()
    place.write_text(_PROGRAM)
    monkeypatch.setattr(programs, "_LAUNCH", place)
    return place


def told(tmp_path: Path, *, is_built: bool, settings: Settings | None = None) -> Any:
    variables = variables_of({**os.environ, "PYTHONPATH": "/own/modules"}, is_built=is_built)
    place = Place(sys.executable, variables, is_built)
    command = command_of(place, Model(tmp_path / "model", "iris", "3"), settings or Settings(), 5, tmp_path)
    done = subprocess.run(command, env=dict(variables), cwd=tmp_path, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("is_built", [True, False])
def test_nothing_is_imported_from_beside_it(program: Path, tmp_path: Path, is_built: bool) -> None:
    found = told(tmp_path, is_built=is_built)
    assert (found["name"], found["beside"]) == ("__main__", [])
    # The active Python finds what it finds otherwise; the model's own environment that alone.
    assert ("/own/modules" in found["path"]) is not is_built


def test_what_it_is_told(program: Path, tmp_path: Path) -> None:
    rule = {"url": "http://tracking/api/v1/me/serving/", "scope": "serve"}
    settings = Settings(workers=2, max_body_mb=1, batching=False, authorize=rule)
    config = told(tmp_path, is_built=True, settings=settings)["config"]
    assert config == {
        "model": str(tmp_path / "model"),
        "name": "iris",
        "version": "3",
        "listen": {"fd": 5},
        "workers": 2,
        "timeout_s": 60,
        "concurrency": 64,
        "max_body_bytes": 1_048_576,
        "batching": {"enabled": False},
        "grace_s": 30,
        "authorize": rule,
    }


def test_it_is_lent_no_credentials() -> None:
    ours = {"MLFLOW_TRACKING_TOKEN": "t", "MLFLOW_TRACKING_PASSWORD": "p", "SLIPWAY_SECRET_KEY": "k", "HOME": "/h"}
    found = variables_of({**ours, "DATABASE_URL": "d", "PYTHONPATH": "x"}, is_built=True)
    assert found == {"HOME": "/h", "PYTHONUNBUFFERED": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}
