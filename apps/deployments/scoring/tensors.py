"""Tensors of the Open Inference Protocol, version 2: between their JSON and numpy."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

NUMPY = {
    "BOOL": np.bool_,
    "UINT8": np.uint8,
    "UINT16": np.uint16,
    "UINT32": np.uint32,
    "UINT64": np.uint64,
    "INT8": np.int8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
    "FP16": np.float16,
    "FP32": np.float32,
    "FP64": np.float64,
}
_DATATYPES = {np.dtype(kind): name for name, kind in NUMPY.items()}


#: As many as numpy has; with more, or larger ones, their product alone could take hours.
_DIMENSIONS, _LONGEST = 32, 2**63


class BadTensor(ValueError):
    """A tensor is not what the protocol says. The message is for the caller."""


def datatype(kind: Any) -> str:
    """The protocol's word for a numpy type; BYTES for texts, times and objects."""
    return _DATATYPES.get(np.dtype(kind), "BYTES")


def from_json(tensor: Any) -> Any:
    """The array of an entry of `inputs`. Texts and bytes are an array of objects."""
    if not isinstance(tensor, dict):
        raise BadTensor("Each of inputs is an object with name, shape, datatype and data.")
    name = tensor.get("name")
    missing = [key for key in ("name", "shape", "datatype", "data") if key not in tensor]
    if missing:
        raise BadTensor(f"Input {name!r}: {', '.join(missing)} is missing.")
    shape = tensor["shape"]
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise BadTensor(f"Input {name!r}: the shape is not a list of whole numbers.")
    if len(shape) > _DIMENSIONS or any(size >= _LONGEST for size in shape):
        raise BadTensor(f"Input {name!r}: a shape has at most {_DIMENSIONS} dimensions, each below 2**63.")
    word = tensor["datatype"]
    if word != "BYTES" and word not in NUMPY:
        raise BadTensor(f"Input {name!r}: the datatype {word!r} is not one of {', '.join([*NUMPY, 'BYTES'])}.")
    values = _flat(tensor["data"])
    wanted = 1
    for size in shape:
        wanted *= size
    if len(values) != wanted:
        raise BadTensor(f"Input {name!r}: {len(values)} values don't fill the shape {shape}.")
    array = _texts(name, values, _content_type(tensor)) if word == "BYTES" else _numbers(name, values, word)
    return array.reshape(shape)


def _content_type(tensor: dict[str, Any]) -> str:
    parameters = tensor.get("parameters")
    return str(parameters.get("content_type", "")) if isinstance(parameters, dict) else ""


def _flat(data: Any) -> list[Any]:
    """The values in row-major order, of a flat or a nested list."""
    if not isinstance(data, list):
        return [data]
    values: list[Any] = data
    while values and all(type(each) is list for each in values):
        values = [value for each in values for value in each]
    return values


def _numbers(name: Any, values: list[Any], word: str) -> Any:
    kind = np.dtype(NUMPY[word])
    allowed: dict[str, set[type]] = {"b": {bool}, "f": {int, float}}
    wrong = set(map(type, values)) - allowed.get(kind.kind, {int})
    if wrong:
        said = ", ".join(sorted("null" if each is type(None) else each.__name__ for each in wrong))
        raise BadTensor(f"Input {name!r}: {said} is no {word}.")
    try:
        if kind.kind in "iu":
            array = np.array(values, dtype=np.uint64 if word == "UINT64" else np.int64)
            limits: Any = np.iinfo(kind)
            if array.size and (int(array.min()) < limits.min or int(array.max()) > limits.max):
                raise OverflowError(word)
            return array.astype(kind)
        return np.array(values, dtype=kind)
    except OverflowError as error:
        raise BadTensor(f"Input {name!r}: a value is out of the range of {word}.") from error


def _texts(name: Any, values: list[Any], content_type: str) -> Any:
    if not all(isinstance(value, str) for value in values):
        raise BadTensor(f"Input {name!r}: BYTES are texts in JSON.")
    array = np.empty(len(values), dtype=object)
    try:
        array[:] = [base64.b64decode(value, validate=True) for value in values] if content_type == "base64" else values
    except ValueError as error:
        raise BadTensor(f"Input {name!r}: a value is not base64.") from error
    return array


def to_json(name: str, values: Any, content_type: str) -> dict[str, Any]:
    """An entry of `outputs`, with flat data."""
    array = np.asarray(values)
    word = datatype(array.dtype) if array.dtype.kind != "O" else "BYTES"
    if array.dtype.kind == "O" and array.size and {type(value) for value in array.flat} <= {int, float, bool}:
        array = np.array(array.tolist())
        word = datatype(array.dtype)
    parameters = {"content_type": content_type} if content_type else {}
    if word == "BYTES":
        data: list[Any] = [_text(value) for value in array.flat]
        if array.size and all(isinstance(value, bytes) for value in array.flat):
            parameters = {"content_type": "base64"}
        elif not content_type or content_type == "np":
            parameters = {"content_type": "str"}
    else:
        # JSON has no word for NaN and the infinities.
        data = [None if value != value or value in (_UP, -_UP) else value for value in array.ravel().tolist()]
    return {"name": name, "shape": list(array.shape), "datatype": word, "parameters": parameters, "data": data}


_UP = float("inf")


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value if isinstance(value, str) else str(value)
