"""The same answers in less time, for requests of a shape that is sure to be equal: numbers in columns, and tensors.

What is not certainly equal (a missing value, a text, a boolean, a number that a float can't hold, other columns) is
left to MLflow's own functions: here `portion` then gives None. Tests compare both ways bit by bit.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import chain
from typing import Any, Callable

import numpy as np

from .calls import Answer
from .loading import INDEPENDENT, WITH_TENSORS
from .results import dumped, split
from .work import Portion

#: Up to here a float64, and a float32, holds every whole number.
WHOLE_64, WHOLE_32 = 2.0**53, 2.0**24
_NUMBERS = {int, float}


class Quick(ABC):
    """How bodies become arrays, and how arrays are predicted."""

    @abstractmethod
    def portion(self, body: dict[str, Any]) -> Portion | None:
        """The rows of a body, or None where it is left to MLflow."""


class Rows(Portion):
    """The rows of one request: an array with as many rows, or several of them."""

    def __init__(self, key: object, arrays: list[Any], predict: Callable[[list[Any]], Any]) -> None:
        self.key, self.arrays, self._predict = key, arrays, predict
        self.rows = len(arrays[0])

    def predict(self, portions: Sequence[Portion]) -> list[Answer] | None:
        try:
            arrays = self.arrays
            if len(portions) > 1:
                arrays = [np.concatenate(each) for each in zip(*(_arrays(portion) for portion in portions))]
            parts = split(self._predict(arrays), [portion.rows for portion in portions])
            return None if parts is None else [Answer(200, dumped(part)) for part in parts]
        except Exception:  # noqa: BLE001
            return None


def _arrays(portion: Portion) -> list[Any]:
    assert isinstance(portion, Rows)  # noqa: S101
    return portion.arrays


class Columns(Quick):
    """A signature of named columns, all of them required and numbers."""

    def __init__(self, names: list[str], types: list[Any], predict: Callable[[list[Any]], Any]) -> None:
        self.names, self.types, self._predict = names, types, predict
        self.one_type = types[0] if all(kind == types[0] for kind in types) else None
        self._orders: dict[tuple[Any, ...], list[int] | None] = {}

    def portion(self, body: dict[str, Any]) -> Portion | None:
        if len(body) != 1:
            return None
        ((name, value),) = body.items()
        if name == "dataframe_split":
            return self._of_split(value)
        if name == "dataframe_records":
            return self._of_records(value)
        if name == "data":
            return self._of_rows(value["values"] if isinstance(value, dict) and len(value) == 1 else value)
        return None

    def _of_split(self, value: Any) -> Portion | None:
        if not isinstance(value, dict) or len(value) != 2 or "columns" not in value or "data" not in value:
            return None
        columns, rows = value["columns"], value["data"]
        if columns == self.names:
            return self._of_rows(rows)
        order = self._order(columns)
        if order is None or not _even(rows, len(columns)):
            return None
        return self._of_rows([[row[place] for place in order] for row in rows])

    def _order(self, columns: Any) -> list[int] | None:
        """Where our columns stand among those of a body. None where one is missing or twice."""
        if not isinstance(columns, list) or not all(isinstance(column, str) for column in columns):
            return None
        key = tuple(columns)
        if key not in self._orders:
            if len(self._orders) > 64:
                self._orders.clear()
            places = {column: place for place, column in enumerate(columns)}
            fits = len(places) == len(columns) and all(name in places for name in self.names)
            self._orders[key] = [places[name] for name in self.names] if fits else None
        return self._orders[key]

    def _of_records(self, records: Any) -> Portion | None:
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            return None
        try:
            return self._of_rows([[record[name] for name in self.names] for record in records])
        except KeyError:
            return None

    def _of_rows(self, rows: Any) -> Portion | None:
        width = len(self.names)
        if not _even(rows, width):
            return None
        if self.one_type is not None:
            array = _array(list(chain.from_iterable(rows)), self.one_type)
            arrays = None if array is None else [array.reshape(len(rows), width)]
        else:
            arrays = [_array(column, kind) for column, kind in zip(zip(*rows), self.types)]
        if arrays is None or any(array is None for array in arrays):
            return None
        return Rows(self, arrays, self._predict)


def _even(rows: Any, width: int) -> bool:
    """Whether these are rows, one at least, all of that many values."""
    return isinstance(rows, list) and bool(rows) and all(type(row) is list and len(row) == width for row in rows)


def _array(values: Sequence[Any], kind: Any) -> Any:
    """An array as MLflow would make of these values and that type. None where it might be another."""
    types = set(map(type, values))
    if not types <= _NUMBERS:
        return None
    try:
        if kind.kind == "f":
            array = np.array(values, dtype=np.float64)
            if int in types and np.abs(array).max() > (WHOLE_64 if kind.itemsize == 8 else WHOLE_32):
                return None
            return array if kind.itemsize == 8 else array.astype(kind)
        if types != {int}:
            return None
        array = np.array(values, dtype=np.int64)
        limits = np.iinfo(kind)
        return array.astype(kind) if array.min() >= limits.min and array.max() <= limits.max else None
    except (OverflowError, ValueError, TypeError):
        return None


class Tensors(Quick):
    """A signature of tensors; a request may be one of the only tensor, or an object with all of them by name."""

    def __init__(
        self, names: list[str], specs: list[tuple[Any, tuple[int, ...]]], predict: Callable[[Any], Any]
    ) -> None:
        self.names, self.specs, self._call = names, specs, predict

    def _predict(self, arrays: list[Any]) -> Any:
        return self._call(dict(zip(self.names, arrays)) if self.names else arrays[0])

    def portion(self, body: dict[str, Any]) -> Portion | None:
        if len(body) != 1:
            return None
        ((name, value),) = body.items()
        if name not in ("inputs", "instances", "data"):
            return None
        if name == "data" and isinstance(value, dict):
            value = value.get("values")
        if isinstance(value, list) and len(self.specs) == 1 and value and not isinstance(value[0], (dict, str)):
            values = [value]
        elif isinstance(value, dict) and name == "inputs" and self.names and value.keys() == set(self.names):
            values = [value[each] for each in self.names]
        else:
            return None
        arrays = [self._tensor(each, *spec) for each, spec in zip(values, self.specs)]
        if any(array is None for array in arrays) or len({len(array) for array in arrays}) != 1:
            return None
        key = (self, *(array.shape[1:] for array in arrays))
        return Rows(key, arrays, self._predict)

    def _tensor(self, values: Any, kind: Any, shape: tuple[int, ...]) -> Any:
        if not isinstance(values, list) or not values:
            return None
        try:
            array = np.array(values, dtype=kind)
        except (OverflowError, ValueError, TypeError):
            return None
        fits = array.ndim == len(shape) and all(want in (-1, have) for want, have in zip(shape, array.shape))
        if not fits or 0 in array.shape or (kind.kind in "iu" and np.abs(array.astype(np.float64)).max() > WHOLE_64):
            return None
        return array


def quick_way(pyfunc: Any, loader: str, forced: bool) -> Quick | None:
    """The quick way of a model, or None where it has none. `forced`: also where rows may depend on each other."""
    metadata = pyfunc.metadata
    schema = metadata.get_input_schema()
    if schema is None or _has_params(metadata) or _is_from_type_hint(metadata):
        return None
    columns = not schema.is_tensor_spec()
    if loader in INDEPENDENT or (not columns and loader in WITH_TENSORS):
        call = getattr(pyfunc, "_predict_fn", None) or pyfunc.predict
    elif forced:
        call = pyfunc.predict
    else:
        return None
    return _of_columns(schema, call, pyfunc) if columns else _of_tensors(schema, call)


def _has_params(metadata: Any) -> bool:
    return getattr(metadata, "get_params_schema", lambda: None)() is not None


def _is_from_type_hint(metadata: Any) -> bool:
    names = ("_is_signature_from_type_hint", "_is_type_hint_from_example")
    return any(getattr(metadata, name, lambda: False)() for name in names)


def _of_columns(schema: Any, call: Callable[[Any], Any], pyfunc: Any) -> Quick | None:
    data_type: Any = importlib.import_module("mlflow.types").DataType
    numbers = {data_type.double, data_type.float, data_type.long, data_type.integer}
    if not schema.has_input_names() or len(schema.required_input_names()) != len(schema.inputs):
        return None
    if not all(isinstance(kind, data_type) and kind in numbers for kind in schema.input_types()):
        return None
    names = schema.input_names()
    if len(set(names)) != len(names):
        return None
    from .frames import predictor

    types = [np.dtype(kind.to_numpy()) for kind in schema.input_types()]
    return Columns(names, types, predictor(names, types, call, pyfunc))


def _of_tensors(schema: Any, call: Callable[[Any], Any]) -> Quick | None:
    specs = [(np.dtype(spec.type), tuple(spec.shape)) for spec in schema.inputs]
    if not all(kind.kind in "fiu" and shape and shape[0] == -1 for kind, shape in specs):
        return None
    named = schema.has_input_names()
    if not named and len(specs) != 1:
        return None
    if named and len(schema.required_input_names()) != len(specs):
        return None
    return Tensors(schema.input_names() if named else [], specs, call)
