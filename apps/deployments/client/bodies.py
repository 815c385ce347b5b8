"""What callers of the mlflow client give to `predict`, as a body of `/invocations`."""

from __future__ import annotations

import base64
import json
from typing import Any

import orjson

from apps.core.errors import InvalidInput

# A dict with one of these is a whole body; any other holds inputs by name.
_WHOLE = frozenset(
    ("dataframe_split", "dataframe_records", "instances", "inputs", "data", "messages", "prompt", "input", "contents")
)


def body_of(inputs: Any) -> bytes:
    """JSON for a data frame, series, array, list, dict, or a whole body as text. NaN becomes null.

    Raises `InvalidInput` for what has no form in JSON.
    """
    if isinstance(inputs, (str, bytes)):
        return _checked(inputs)
    try:
        return orjson.dumps(
            _wrapped(inputs), default=_plain, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
        )
    except orjson.JSONEncodeError as error:
        raise InvalidInput(f"These inputs can't be written as JSON: {error}.") from error


def _wrapped(inputs: Any) -> Any:
    if inputs is None:
        raise InvalidInput("There are no inputs to predict for.")
    if isinstance(inputs, dict):
        return inputs if _WHOLE & inputs.keys() else {"inputs": inputs}
    # Kinds of packages that whoever calls has imported already.
    kind = {f"{base.__module__.partition('.')[0]}.{base.__name__}" for base in type(inputs).__mro__}
    if "pandas.Series" in kind:
        inputs, kind = inputs.to_frame(), {"pandas.DataFrame"}
    if "pandas.DataFrame" in kind:
        split = inputs.to_dict(orient="split")
        return {"dataframe_split": {"columns": split["columns"], "data": split["data"]}}
    if kind & {"scipy.csr_matrix", "scipy.csc_matrix", "scipy.csr_array", "scipy.csc_array"}:
        inputs = inputs.toarray()
    return {"inputs": inputs.tolist() if hasattr(inputs, "tolist") else inputs}


def _plain(value: Any) -> Any:
    """What JSON has no word for: times as ISO text, bytes as base64, as the scoring server reads them."""
    if hasattr(value, "isoformat"):
        return value.isoformat() if value == value else None
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if hasattr(value, "tolist"):
        return value.tolist()
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    raise TypeError(f"a {type(value).__name__}")


def _checked(text: str | bytes) -> bytes:
    try:
        json.loads(text)
    except ValueError as error:
        raise InvalidInput(f"The text is no JSON: {error}.") from error
    return text.encode() if isinstance(text, str) else text
