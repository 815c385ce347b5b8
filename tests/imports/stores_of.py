"""Stores that real clients wrote, and what the real client reads from a store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
# The folder in which they were written: addresses in them begin with it.
WRITTEN_AT = "/srv/mlflow"
_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_ALLOW_FILE_STORE": "true"}


def unpack(name: str, into: Path) -> Path:
    """The store in `stores/` of this name, with its files beside it."""
    into.mkdir(parents=True, exist_ok=True)
    with tarfile.open(HERE / "stores" / f"{name}.tar.xz") as archive:
        archive.extractall(into, filter="data")
    return into


def needs_client() -> None:
    """Skip where the real client is not installed."""
    if find_spec("mlflow") is None:
        pytest.skip("mlflow is not installed: uv run --group client pytest")


def read(uri: str, token: str = "") -> Any:
    """All that the real client reads there."""
    return json.loads(script("read_store.py", uri, **({"MLFLOW_TRACKING_TOKEN": token} if token else {})))


def script(name: str, uri: str, **more_env: str) -> str:
    """What one of the client's scripts prints."""
    env = {**os.environ, **_QUIET, **more_env}
    command = [sys.executable, str(HERE / "scripts" / name), uri]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
