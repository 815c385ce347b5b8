"""From a folder to a model, by MLflow's own loader, and what is known of its flavour."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import threading
from pathlib import Path
from typing import Any

from . import later

#: Flavours whose loaded models are copied by fork without harm, if they bring nothing of `THREADED` with them.
FORKABLE = {"mlflow.sklearn", "mlflow.statsmodels"}
#: Libraries that may start threads when a model of theirs is loaded. A fork copies their locks, and not the threads.
THREADED = ("lightgbm", "xgboost", "catboost", "torch", "tensorflow", "onnxruntime", "jax")
#: Flavours whose answer for a row does not depend on the other rows of a request.
INDEPENDENT = {"mlflow.sklearn", "mlflow.xgboost", "mlflow.lightgbm"}
#: As well, where the signature is of tensors whose first dimension is open: the one that batches are made of.
WITH_TENSORS = {"mlflow.pytorch", "mlflow.keras", "mlflow.keras.load", "mlflow.tensorflow", "mlflow.onnx"}


def quiet_environment() -> None:
    """What an instance neither needs nor may do: call home, export traces."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ASYNC_TRACE_LOGGING", "false")


def loader_of(folder: str) -> str:
    """The loader module that the folder's MLmodel names, like `mlflow.sklearn`; empty where it can't be read."""
    try:
        lines = (Path(folder) / "MLmodel").read_text("utf-8").splitlines()
    except OSError:
        return ""
    named = [line.split(":", 1)[1].strip() for line in lines if line.strip().startswith("loader_module:")]
    return named[0].strip("'\"") if named else ""


def import_mlflow() -> None:
    """What every model needs, before forks, so that they share it."""
    later.install()
    # Nothing of what an import makes is garbage, and looking for some costs a tenth of the time.
    gc.disable()
    try:
        importlib.import_module("mlflow.pyfunc.scoring_server")
    finally:
        gc.enable()


def load(folder: str) -> Any:
    """The PyFuncModel."""
    scoring_server: Any = importlib.import_module("mlflow.pyfunc.scoring_server")
    load_it = getattr(scoring_server, "load_model_with_mlflow_config", None) or scoring_server.load_model
    model = load_it(folder)
    os.environ["_MLFLOW_IS_IN_SERVING_ENVIRONMENT"] = "true"
    return model


def is_forkable(folder: str) -> bool:
    """Whether its flavour is one whose models may be loaded before forking."""
    return loader_of(folder) in FORKABLE


def may_be_forked() -> bool:
    """Whether what has been loaded now brought no threads."""
    return threading.active_count() == 1 and not any(name in sys.modules for name in THREADED)
