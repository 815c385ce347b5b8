from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apps.deployments.scoring.config import Config
from apps.deployments.scoring.model import Model
from tests.deployments.scoring.asking import config
from tests.deployments.scoring.models import MODELS

Loaded = Callable[..., tuple[Model, Any]]


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of one of our models, made once."""
    made: dict[str, Path] = {}

    def folder(name: str) -> Path:
        if name not in made:
            made[name] = MODELS[name](tmp_path_factory.mktemp("models") / name)
        return made[name]

    return folder


@pytest.fixture(scope="session")
def loaded(folder_of: Callable[[str], Path]) -> Loaded:
    """One of our models, as ours and as MLflow's: `loaded("svc")`, with a configuration where one is wanted."""
    import mlflow.pyfunc

    known: dict[str, Any] = {}

    def load(name: str, settings: Config | None = None) -> tuple[Model, Any]:
        if name not in known:
            known[name] = mlflow.pyfunc.load_model(str(folder_of(name)))
        return Model(known[name], settings or config()), known[name]

    return load
