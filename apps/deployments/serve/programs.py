"""The command that serves a model, and its settings: Slipway's scoring server, or MLflow's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apps.deployments

_HERE = Path(apps.deployments.__path__[0])
_LAUNCH = _HERE / "scoring" / "launch.py"
_MLFLOW = _HERE / "targets" / "process" / "mlflow_server.py"
# Whoever serves a model doesn't lend it who they are, and what Slipway's own processes are set up with is not its own.
_KEPT_BACK = (
    "MLFLOW_TRACKING_TOKEN",
    "MLFLOW_TRACKING_USERNAME",
    "MLFLOW_TRACKING_PASSWORD",
    "DATABASE_URL",
    "REDIS_URL",
    "SLIPWAY_SECRET_KEY",
    "SLIPWAY_ADMIN_PASSWORD",
)
_OF_PYTHON = ("PYTHONHOME", "PYTHONPATH")
_RUN = (
    "import runpy, sys; sys.path[:] = filter(None, sys.path); del sys.argv[0]; "
    "runpy.run_path(sys.argv[0], {}, '__main__')"
)


@dataclass(frozen=True, slots=True)
class Settings:
    """How a model is served. `host`: an IP address, without brackets. `authorize`: whom to ask about callers."""

    host: str = "127.0.0.1"
    port: int = 5001
    workers: int = 1
    timeout_s: int = 60
    concurrency: int = 64
    max_body_mb: int = 100
    # None: where the model's kind allows.
    batching: bool | None = None
    grace_s: int = 30
    is_mlflows: bool = False
    authorize: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A Python to serve with, and the variables of its processes. `is_built`: an environment of the model alone."""

    python: str
    variables: Mapping[str, str]
    is_built: bool


@dataclass(frozen=True, slots=True)
class Model:
    """What is served: a folder, and how it is called."""

    folder: Path
    name: str
    version: str = ""

    def __str__(self) -> str:
        return f"{self.name} version {self.version}" if self.version else self.name


def command_of(place: Place, model: Model, settings: Settings, listening: int, work: Path) -> list[str]:
    """The words to start. `listening`: the number of an open socket. `work`: an own folder, for the settings."""
    file = work / "config.json"
    file.write_text(json.dumps(_config(model, settings, listening)))
    program = str(_MLFLOW if settings.is_mlflows else _LAUNCH)
    # Nothing is imported from beside the program, nor from where we happen to be; from where the active Python finds
    # things otherwise, only if it is that one.
    how = ["-u", *(["-I"] if place.is_built else ["-c", _RUN])]
    return [place.python, *how, program, str(file)]


def variables_of(own: Mapping[str, str], *, is_built: bool) -> dict[str, str]:
    """The environment variables of the server, without what is not for it, from ours."""
    without = (*_KEPT_BACK, *(_OF_PYTHON if is_built else ()))
    kept = {name: value for name, value in own.items() if name not in without}
    return {"MLFLOW_DISABLE_TELEMETRY": "true", **kept, "PYTHONUNBUFFERED": "1"}


def _config(model: Model, settings: Settings, listening: int) -> dict[str, Any]:
    return {
        "model": str(model.folder),
        "name": model.name,
        "version": model.version or "1",
        "listen": {"fd": listening},
        "workers": settings.workers,
        "timeout_s": settings.timeout_s,
        "concurrency": settings.concurrency,
        "max_body_bytes": settings.max_body_mb * 1024 * 1024,
        "batching": {"enabled": settings.batching},
        "grace_s": settings.grace_s,
        "authorize": dict(settings.authorize) if settings.authorize else None,
    }
