"""What models give back: cut into the parts of several requests, and written as JSON as MLflow writes it."""

from __future__ import annotations

import importlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

try:
    import orjson
except ImportError:
    orjson = None  # type: ignore[assignment]


def split(result: Any, sizes: Sequence[int]) -> list[Any] | None:
    """The parts of a result for so many rows each. None where it doesn't have one entry for each row."""
    if len(sizes) == 1:
        return [result]
    if isinstance(result, dict):
        cut = {name: split(value, sizes) for name, value in result.items()}
        if not cut or any(parts is None for parts in cut.values()):
            return None
        return [{name: (parts or [])[place] for name, parts in cut.items()} for place in range(len(sizes))]
    if isinstance(result, (str, bytes)) or not hasattr(result, "__len__") or len(result) != sum(sizes):
        return None
    rows = result.iloc if hasattr(result, "iloc") else result
    parts, begin = [], 0
    for size in sizes:
        parts.append(rows[begin : begin + size])
        begin += size
    return parts


def dumped(result: Any) -> bytes:
    """`{"predictions": …}`."""
    if orjson is not None and type(result) is np.ndarray and is_plain(result):
        try:
            return b'{"predictions": ' + orjson.dumps(result.tolist()) + b"}"
        except TypeError:
            pass
    scoring_server: Any = importlib.import_module("mlflow.pyfunc.scoring_server")
    output = io.StringIO()
    scoring_server.predictions_to_json(result, output)
    return output.getvalue().encode()


def is_plain(array: Any) -> bool:
    """Whether both ways of writing give the same: not for NaN, which JSON has no word for, but MLflow writes."""
    kind = array.dtype.kind
    if kind == "f":
        return bool(np.isfinite(array).all())
    return kind in "iubUO"
