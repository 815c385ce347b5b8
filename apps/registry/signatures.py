"""Signatures of models: what the `MLmodel` file says of inputs, outputs and params, as lists that pages show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from apps.core.errors import InvalidInput

MAX_FIELDS = 10_000
MAX_SHOWN = 500
_MAX_DEPTH = 8
# How YAML writes that there is nothing, where all scalars are texts.
NOTHING = ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True, slots=True)
class Column:
    """One input or output: a column, or a tensor (`float64 (-1, 4)`). `name` may be empty."""

    name: str
    type: str
    is_required: bool = True
    # Of params.
    default: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """What a model takes and gives."""

    inputs: tuple[Column, ...] = ()
    outputs: tuple[Column, ...] = ()
    params: tuple[Column, ...] = ()


def parse_signature(found: object) -> Signature | None:
    """The signature as the `MLmodel` file holds it: texts of JSON. None for none. Raises `InvalidInput`."""
    if (isinstance(found, str) and found in NOTHING) or found is None:
        return None
    if not isinstance(found, Mapping):
        raise InvalidInput("it is no mapping")
    parts = {name: _columns(name, found.get(name)) for name in ("inputs", "outputs", "params")}
    return Signature(**parts) if any(parts.values()) else None


def _columns(name: str, text: object) -> tuple[Column, ...]:
    if text is None or text in NOTHING:
        return ()
    try:
        specs = orjson.loads(text) if isinstance(text, str) else text
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"'{name}' is no JSON") from error
    if specs is None:
        return ()
    if not isinstance(specs, list) or len(specs) > MAX_FIELDS or not all(isinstance(spec, dict) for spec in specs):
        raise InvalidInput(f"'{name}' is no list of at most {MAX_FIELDS} fields")
    return tuple(_column(spec) for spec in specs)


def _column(spec: Mapping[str, Any]) -> Column:
    default = spec.get("default")
    return Column(
        name=_short(spec.get("name", "")),
        type=type_text(spec),
        is_required=spec.get("required", True) is not False,
        default="" if default is None else _short(default),
    )


def type_text(spec: object, depth: int = 0) -> str:
    """A type in short: `double`, `float64 (-1, 4)`, `array of long`, `{name: string, age: long}`."""
    if not isinstance(spec, Mapping):
        return _short(spec)
    kind = spec.get("type", "")
    if depth > _MAX_DEPTH:
        return "…"
    if kind == "tensor" and isinstance(spec.get("tensor-spec"), Mapping):
        tensor = spec["tensor-spec"]
        return f"{_short(tensor.get('dtype', ''))} {_shape(tensor.get('shape'))}".strip()
    if kind == "array":
        return f"array of {type_text(spec.get('items', ''), depth + 1)}"
    if kind == "map":
        return f"map of {type_text(spec.get('values', ''), depth + 1)}"
    if kind == "object" and isinstance(spec.get("properties"), Mapping):
        parts = list(spec["properties"].items())[:20]
        return "{" + ", ".join(f"{_short(name)}: {type_text(part, depth + 1)}" for name, part in parts) + "}"
    return f"{_short(kind)} {_shape(spec.get('shape'))}".strip()


def _shape(shape: object) -> str:
    return f"({', '.join(_short(size) for size in shape[:20])})" if isinstance(shape, list) else ""


def _short(value: object) -> str:
    if value is None or isinstance(value, str):
        return (value or "")[:MAX_SHOWN]
    try:
        return orjson.dumps(value).decode()[:MAX_SHOWN]
    except orjson.JSONEncodeError:
        # Nested deeper than it writes.
        return "…"
