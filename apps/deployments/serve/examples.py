"""A call that somebody can copy: with the model's own example where it has a small one, else by its signature."""

from __future__ import annotations

import json
import math
import shlex
from pathlib import Path
from typing import Any

import yaml

_MOST_BYTES = 1000
_MOST_COLUMNS = 30
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_VALUES: dict[str, Any] = {
    "string": "text",
    "boolean": True,
    "datetime": "2026-01-31T12:00:00",
    "integer": 1,
    "long": 1,
    "float": 1.0,
    "double": 1.0,
}


def curl_of(url: str, folder: Path, *, wants_token: bool, is_mlflows: bool = False) -> str:
    """The command, on one line; empty where nobody knows a body that the model takes.

    `is_mlflows`: it is sent to MLflow's own server, which takes fewer.
    """
    body = _body(folder)
    if not body or (is_mlflows and body.startswith('{"data"')):
        return ""
    token = ' -H "Authorization: Bearer $MLFLOW_TRACKING_TOKEN"' if wants_token else ""
    return f"curl {url}/invocations{token} -H 'Content-Type: application/json' -d {shlex.quote(body)}"


def _body(folder: Path) -> str:
    try:
        about = yaml.load((folder / "MLmodel").read_text(), Loader=_LOADER)  # noqa: S506 - the base loader makes texts only
        if example := _example(about, folder):
            return example
        made = _of_signature(about)
        return json.dumps(made) if made is not None else ""
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, yaml.YAMLError):
        # It is no more than a hint.
        return ""


def _example(about: dict[str, Any], folder: Path) -> str:
    """What the client wrote as a body of a call; empty where there is none, or a large one."""
    named = (about.get("saved_input_example_info") or {}).get("serving_input_path")
    file = (folder / str(named)).resolve()
    # A model says where it is: what lies elsewhere on this machine is not the model's to show.
    if not named or not file.is_relative_to(folder.resolve()):
        return ""
    if not file.is_file() or file.stat().st_size > 4 * _MOST_BYTES:
        return ""
    body = json.dumps(json.loads(file.read_text()))
    return body if len(body) <= _MOST_BYTES else ""


def _of_signature(about: dict[str, Any]) -> dict[str, Any] | None:
    columns = json.loads((about.get("signature") or {}).get("inputs") or "[]")
    if not columns or len(columns) > _MOST_COLUMNS:
        return None
    if columns[0]["type"] == "tensor":
        shape = columns[0]["tensor-spec"]["shape"]
        return {"inputs": _tensor([1 if size == -1 else int(size) for size in shape])} if len(columns) == 1 else None
    values = [_VALUES[str(column["type"])] for column in columns]
    names = [column.get("name") for column in columns]
    return {"dataframe_split": {"columns": names, "data": [values]}} if all(names) else {"data": [values]}


def _tensor(shape: list[int]) -> Any:
    many = max((len(shape), *shape)) > _MOST_COLUMNS
    if many or math.prod(max(size, 1) for size in shape) > _MOST_BYTES:
        raise ValueError("too large to be shown")
    value: Any = 1.0
    for size in reversed(shape):
        value = [value] * size
    return value
