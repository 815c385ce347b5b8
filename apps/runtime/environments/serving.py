"""What the environment of a model needs: what its files name, MLflow's client, and what the scoring server runs on.

Builds, instances and `slipway models serve` all ask here, so that they share one environment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from apps.runtime.environments.kinds import Environment, EnvironmentKind
from apps.runtime.environments.needs import Needs, needs_of, needs_of_requirements

_MLFLOW = re.compile(r"mlflow(?:[-_.]skinny)?(?:\[[^]]*\])?\s*(?:[<>=!~;@ ].*)?", re.IGNORECASE)
# The skinny client loads models where these are beside it.
_CLIENT = ("mlflow-skinny", "pandas", "numpy")
# What `apps/deployments/scoring` is quick with. Without versions: the model's own lines decide.
_SERVER = ("httptools", "orjson", "uvloop; sys_platform != 'win32'")
_FILES = (("python_env.yaml", EnvironmentKind.PYTHON), ("conda.yaml", EnvironmentKind.CONDA))


def needs_of_model(folder: Path) -> Needs:
    """What a model in a folder needs to be loaded and served. Raises `InvalidInput` with file and line."""
    return serving_needs(_named(folder))


def serving_needs(needs: Needs) -> Needs:
    """The same with MLflow's client and the scoring server's libraries, where they are not named."""
    has_client = any(_MLFLOW.fullmatch(line) for line in needs.lines)
    return _with(needs, _SERVER if has_client else (*_CLIENT, *_SERVER))


def _named(folder: Path) -> Needs:
    for name, kind in _FILES:
        if (folder / name).is_file():
            return needs_of(Environment(kind, name), folder)
    requirements = folder / "requirements.txt"
    if not requirements.is_file():
        return needs_of_requirements(())
    return needs_of_requirements(requirements.read_text(errors="replace").splitlines())


def _with(needs: Needs, lines: Iterable[str]) -> Needs:
    named = {_name(line) for line in needs.lines}
    return replace(needs, lines=(*needs.lines, *(line for line in lines if _name(line) not in named)))


def _name(line: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0].lower()
