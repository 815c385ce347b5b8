"""Models of the large frameworks. Each is imported by its function, since any of them may be left out."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from tests.deployments.scoring.models import iris


def _frames(flavor: Any, model: Any, folder: Path, **more: Any) -> Path:
    from mlflow.models import infer_signature

    frame, _ = iris()
    signature = infer_signature(frame, np.zeros(2, np.float32))
    flavor.save_model(model, folder, signature=signature, pip_requirements=["pandas"], **more)
    return folder


def _tensors(flavor: Any, model: Any, folder: Path, **more: Any) -> Path:
    from mlflow.models import infer_signature

    signature = infer_signature(np.zeros((2, 4), np.float32), np.zeros((2, 3), np.float32))
    flavor.save_model(model, folder, signature=signature, pip_requirements=["pandas"], **more)
    return folder


def xgboost(folder: Path) -> Path:
    xgboost: Any = import_module("xgboost")
    flavor: Any = import_module("mlflow.xgboost")

    return _frames(flavor, xgboost.XGBClassifier(n_estimators=5).fit(*iris()), folder)


def xgboost_booster(folder: Path) -> Path:
    xgboost: Any = import_module("xgboost")
    flavor: Any = import_module("mlflow.xgboost")

    frame, target = iris()
    booster = xgboost.train({"objective": "multi:softprob", "num_class": 3}, xgboost.DMatrix(frame, target), 5)
    return _frames(flavor, booster, folder)


def lightgbm(folder: Path) -> Path:
    lightgbm: Any = import_module("lightgbm")
    flavor: Any = import_module("mlflow.lightgbm")

    return _frames(flavor, lightgbm.LGBMClassifier(n_estimators=5, verbose=-1).fit(*iris()), folder)


def lightgbm_booster(folder: Path) -> Path:
    lightgbm: Any = import_module("lightgbm")
    flavor: Any = import_module("mlflow.lightgbm")

    frame, target = iris()
    options = {"objective": "multiclass", "num_class": 3, "verbose": -1}
    return _frames(flavor, lightgbm.train(options, lightgbm.Dataset(frame, target), 5), folder)


def _net() -> Any:
    torch: Any = import_module("torch")

    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))


def torch(folder: Path) -> Path:
    import inspect

    import mlflow.pytorch

    more = {}
    if "serialization_format" in inspect.signature(mlflow.pytorch.save_model).parameters:
        more["serialization_format"] = "pickle"
    return _tensors(mlflow.pytorch, _net(), folder, **more)


def onnx(folder: Path) -> Path:
    onnx: Any = import_module("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT

    rng = np.random.default_rng(1)
    weights = helper.make_tensor("w", kind, (4, 3), rng.random(12).astype(np.float32))
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", kind, ["n", 4])],
        [helper.make_tensor_value_info("y", kind, ["n", 3])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return _tensors(import_module("mlflow.onnx"), model, folder)


def keras(folder: Path) -> Path:
    """With the backend that KERAS_BACKEND names."""
    framework: Any = import_module("keras")

    framework.utils.set_random_seed(1)
    model = framework.Sequential([framework.Input((4,)), framework.layers.Dense(3, activation="softmax")])
    from mlflow.models import infer_signature

    signature = infer_signature(np.zeros((2, 4), np.float32), np.zeros((2, 3), np.float32))
    backend = framework.backend.backend()
    flavor: Any = import_module("mlflow.tensorflow" if backend == "tensorflow" else "mlflow.keras")
    flavor.save_model(model, str(folder), signature=signature, pip_requirements=["pandas"])
    return folder


def tensorflow(folder: Path) -> Path:
    """A module, saved as TensorFlow itself does."""
    framework: Any = import_module("tensorflow")

    class Net(framework.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.weights = framework.Variable(framework.ones((4, 3)) / 7)

        def _multiply(self, x: Any) -> Any:
            return framework.matmul(x, self.weights)

        __call__ = framework.function(_multiply, input_signature=[framework.TensorSpec([None, 4], framework.float32)])

    return _tensors(import_module("mlflow.tensorflow"), Net(), folder)


NEEDS = {
    "xgboost": "xgboost",
    "xgboost_booster": "xgboost",
    "lightgbm": "lightgbm",
    "lightgbm_booster": "lightgbm",
    "torch": "torch",
    "onnx": "onnxruntime",
    "keras": "keras",
    "tensorflow": "tensorflow",
}
FRAMEWORKS: dict[str, Callable[[Path], Path]] = {
    each.__name__: each
    for each in (xgboost, xgboost_booster, lightgbm, lightgbm_booster, torch, onnx, keras, tensorflow)
}
