"""Small models of each kind of signature, saved as MLflow saves them and loaded as it loads them."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

IRIS = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


def iris() -> tuple[Any, Any]:
    from sklearn.datasets import load_iris

    data = load_iris(as_frame=True)
    frame = data.data
    frame.columns = IRIS
    return frame, data.target


def _save(folder: Path, flavor: Any, model: Any, **more: Any) -> Path:
    """Requirements are given, since MLflow would start a process to find them out."""
    if "serialization_format" in inspect.signature(flavor.save_model).parameters:
        more["serialization_format"] = "cloudpickle"
    flavor.save_model(model, folder, pip_requirements=["scikit-learn"], **more)
    return folder


def _sklearn(folder: Path, estimator: Any, X: Any, y: Any, **more: Any) -> Path:  # noqa: N803
    import mlflow.sklearn
    from mlflow.models import infer_signature

    estimator.fit(X, y)
    more.setdefault("signature", infer_signature(X, estimator.predict(X)))
    return _save(folder, mlflow.sklearn, estimator, **more)


def svc(folder: Path) -> Path:
    """Four named columns of doubles, answers are whole numbers."""
    from sklearn.svm import SVC

    return _sklearn(folder, SVC(kernel="linear"), *iris())


def forest(folder: Path) -> Path:
    from sklearn.ensemble import RandomForestClassifier

    return _sklearn(folder, RandomForestClassifier(5, random_state=0), *iris())


def words(folder: Path) -> Path:
    """Answers are texts; a pipeline."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    frame, y = iris()
    return _sklearn(
        folder, make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=0)), frame, y.map("k{}".format)
    )


def linear(folder: Path) -> Path:
    """Answers are floats."""
    from sklearn.linear_model import LinearRegression

    frame, _ = iris()
    return _sklearn(folder, LinearRegression(), frame[IRIS[:3]], frame[IRIS[3]])


def probabilities(folder: Path) -> Path:
    """Answers are rows of floats, by another function than predict."""
    from sklearn.linear_model import LogisticRegression

    return _sklearn(folder, LogisticRegression(max_iter=500), *iris(), pyfunc_predict_fn="predict_proba")


def mixed(folder: Path) -> Path:
    """A column of each kind of number."""
    from sklearn.tree import DecisionTreeRegressor

    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "long": rng.integers(0, 9, 50),
            "integer": rng.integers(0, 9, 50).astype(np.int32),
            "double": rng.random(50),
            "float": rng.random(50).astype(np.float32),
        }
    )
    return _sklearn(folder, DecisionTreeRegressor(random_state=0), frame, frame["double"] + frame["long"])


def longs(folder: Path) -> Path:
    from sklearn.tree import DecisionTreeRegressor

    frame = pd.DataFrame({"a": np.arange(20), "b": np.arange(20)[::-1]})
    return _sklearn(folder, DecisionTreeRegressor(random_state=0), frame, frame["a"] * 2.5)


def by_name(folder: Path) -> Path:
    """A transformer that finds its columns by name, one of them of texts, and one that may be missing."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    frame, y = iris()
    frame = frame[IRIS[:2]].assign(colour=np.where(frame.sepal_length > 6, "red", "blue"))
    columns = ColumnTransformer([("c", OneHotEncoder(handle_unknown="ignore"), ["colour"])], remainder="passthrough")
    estimator = make_pipeline(columns, LogisticRegression(max_iter=500))
    signature = ModelSignature(
        Schema(
            [
                ColSpec("double", IRIS[0]),
                ColSpec("double", IRIS[1]),
                ColSpec("string", "colour"),
                ColSpec("double", "note", required=False),
            ]
        ),
        Schema([ColSpec("long")]),
    )
    return _sklearn(folder, estimator, frame, y, signature=signature)


def unsigned(folder: Path) -> Path:
    """No signature."""
    from sklearn.tree import DecisionTreeClassifier

    frame, y = iris()
    return _sklearn(folder, DecisionTreeClassifier(random_state=0), frame.to_numpy(), y, signature=None)


def tensor(folder: Path) -> Path:
    """One unnamed tensor."""
    from sklearn.tree import DecisionTreeClassifier

    frame, y = iris()
    return _sklearn(folder, DecisionTreeClassifier(random_state=0), frame.to_numpy(), y.to_numpy())


def _pyfunc(folder: Path, model: Any, **more: Any) -> Path:
    import mlflow.pyfunc

    mlflow.pyfunc.save_model(folder, python_model=model, pip_requirements=["pandas"], **more)
    return folder


def _signature(inputs: Any, outputs: Any = None, params: dict[str, Any] | None = None) -> Any:
    from mlflow.models import infer_signature

    return infer_signature(inputs, outputs, params)


def _base() -> Any:
    import mlflow.pyfunc

    return mlflow.pyfunc.PythonModel


def _echo() -> Any:
    class Echo(_base()):  # type: ignore[misc]
        """Says what it was given, with types, and params."""

        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            import pandas

            if isinstance(model_input, pandas.DataFrame):
                types = [str(kind) for kind in model_input.dtypes]
                said = [types, [str(name) for name in model_input.columns], repr(model_input.values.tolist())]
            else:
                said = [type(model_input).__name__, repr(model_input)]
            return [json.dumps([said, repr(params)])]

    return Echo()


def echo(folder: Path) -> Path:
    return _pyfunc(folder, _echo())


def echo_columns(folder: Path) -> Path:
    frame = pd.DataFrame({"a": [1.5], "b": [2]})
    return _pyfunc(folder, _echo(), signature=_signature(frame, ["x"]))


def echo_params(folder: Path) -> Path:
    frame = pd.DataFrame({"a": [1.5], "b": [2]})
    return _pyfunc(folder, _echo(), signature=_signature(frame, ["x"], {"k": 1, "mode": "fast"}))


def echo_tensors(folder: Path) -> Path:
    arrays = {"one": np.zeros((2, 3), np.float32), "two": np.zeros((2,), np.int64)}
    return _pyfunc(folder, _echo(), signature=_signature(arrays, ["x"]))


def moody(folder: Path) -> Path:
    """Doubles the column `x`, and raises where one of the values is negative."""

    class Moody(_base()):  # type: ignore[misc]
        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            if (model_input["x"] < 0).any():
                raise ValueError("negative: " + str(model_input["x"].min()))
            return (model_input["x"] * 2).to_numpy()

    return _pyfunc(folder, Moody(), signature=_signature(pd.DataFrame({"x": [1.5]}), np.array([3.0])))


def gate(folder: Path) -> Path:
    """Answers its own process; 50 waits for the file that GATE names, 99 never comes back."""

    class Gate(_base()):  # type: ignore[misc]
        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            import os
            import time

            x = float(model_input["x"].iloc[0])
            while x == 99 or (x == 50 and not os.path.exists(os.environ["GATE"])):  # noqa: PTH110
                time.sleep(0.01)
            return [os.getpid()] * len(model_input)

    return _pyfunc(folder, Gate(), signature=_signature(pd.DataFrame({"x": [1.5]}), [1]))


def framed(folder: Path) -> Path:
    """Answers are a frame."""

    class Framed(_base()):  # type: ignore[misc]
        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            return model_input.assign(total=model_input.sum(axis=1), label="t")

    return _pyfunc(folder, Framed(), signature=_signature(pd.DataFrame({"x": [1.5], "y": [2.5]})))


def hinted(folder: Path) -> Path:
    """A signature from type hints."""

    def predict(self: Any, model_input, params=None):  # type: ignore[no-untyped-def]
        return [text.upper() for text in model_input]

    # MLflow reads them as types, and this module's are texts.
    predict.__annotations__ = {"model_input": list[str], "return": list[str]}
    Hinted = type("Hinted", (_base(),), {"predict": predict})  # noqa: N806

    return _pyfunc(folder, Hinted())


def chat(folder: Path) -> Path:
    """Takes what chats send, and answers an object."""

    class Chat(_base()):  # type: ignore[misc]
        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            return {"choices": [{"text": repr(model_input)[:200]}]}

    return _pyfunc(folder, Chat())


MODELS: dict[str, Callable[[Path], Path]] = {
    each.__name__: each
    for each in (
        svc,
        forest,
        words,
        linear,
        probabilities,
        mixed,
        longs,
        by_name,
        unsigned,
        tensor,
        echo,
        echo_columns,
        echo_params,
        echo_tensors,
        moody,
        gate,
        framed,
        hinted,
        chat,
    )
}
