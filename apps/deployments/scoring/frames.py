"""How arrays of columns are predicted: as a frame, as MLflow does, or as an array where that is the same."""

from __future__ import annotations

import copy
import warnings
from typing import Any, Callable

import numpy as np


def predictor(
    names: list[str], types: list[Any], call: Callable[[Any], Any], pyfunc: Any
) -> Callable[[list[Any]], Any]:
    """A function of either one array of all columns, or one for each column."""
    import pandas as pd

    index = pd.DataFrame({name: np.zeros(1, kind) for name, kind in zip(names, types)}).columns

    def as_frame(arrays: list[Any]) -> Any:
        if len(arrays) == 1 and arrays[0].ndim == 2:
            # Columns lie together in MLflow's frames too, and the order of sums depends on it.
            return call(pd.DataFrame(np.asfortranarray(arrays[0]), columns=index))
        return call(pd.DataFrame(dict(zip(names, arrays))))

    if any(kind != types[0] for kind in types):
        return as_frame
    bare = nameless_predict(names, pyfunc)
    if bare is None:
        return as_frame

    def as_array(arrays: list[Any]) -> Any:
        return bare(np.asfortranarray(arrays[0]))

    return as_array if alike(as_frame, as_array, len(names), types[0]) else as_frame


def nameless_predict(names: list[str], pyfunc: Any) -> Callable[[Any], Any] | None:
    """`predict` of a copy of an estimator of scikit-learn, as if that had been fitted without names of columns.

    Frames cost such an estimator several times what the prediction does. The copy shares all that was fitted. None
    where the estimator or a part of it isn't scikit-learn's own, or looks at columns by name.
    """
    flavor = pyfunc.metadata.flavors.get("python_function", {})
    if flavor.get("loader_module") != "mlflow.sklearn":
        return None
    estimator = getattr(getattr(pyfunc, "_model_impl", None), "sklearn_model", None)
    if estimator is None or list(getattr(estimator, "feature_names_in_", names)) != names:
        return None
    copied = nameless(estimator)
    return getattr(copied, flavor.get("predict_fn", "predict"), None)


def nameless(estimator: Any) -> Any:
    """A copy without names of columns, or None where that could change an answer."""
    kind = type(estimator)
    if not kind.__module__.startswith("sklearn.") or not hasattr(estimator, "get_params"):
        return None
    if kind.__name__ == "Pipeline":
        steps = [(name, step if isinstance(step, str) else nameless(step)) for name, step in estimator.steps]
        if any(step is None for _, step in steps):
            return None
        copied = copy.copy(estimator)
        copied.steps = steps
        return copied
    parameters = estimator.get_params(deep=False).values()
    if kind.__module__.startswith("sklearn.compose") or any(_may_see_names(value) for value in parameters):
        return None
    copied = copy.copy(estimator)
    copied.__dict__.pop("feature_names_in_", None)
    return copied


def _may_see_names(parameter: Any) -> bool:
    return hasattr(parameter, "get_params") or callable(parameter) or isinstance(parameter, (list, tuple, dict))


def alike(one: Callable[[list[Any]], Any], other: Callable[[list[Any]], Any], width: int, kind: Any) -> bool:
    """Whether both predict some made-up rows without a warning of their own and with equal bits."""
    probe = np.arange(5 * width).reshape(5, width) % 7
    rows = [probe.astype(kind)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            first, second = np.asarray(one(rows)), np.asarray(other(rows))
    except Exception:  # noqa: BLE001
        return False
    if first.dtype != second.dtype or first.shape != second.shape:
        return False
    return bool((first == second).all()) if first.dtype.kind == "O" else first.tobytes() == second.tobytes()
