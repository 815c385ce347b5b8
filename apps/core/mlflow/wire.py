"""Reading the protocol's requests: JSON or query string into typed structs, with its error messages.

A request is a `Request` struct whose fields have defaults, as protobuf's have; `required` names those that must not
be empty. Unknown fields are ignored, `null` is the default, int64 may come as strings, repeated query keys are lists.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, TypeVar, get_origin

import msgspec
import orjson
from django.conf import settings
from django.http import HttpRequest

from apps.core.errors import BadRequest, InvalidInput, TooLarge, UnsupportedMediaType

SEE_DOCS = " See the API docs for more information about request parameters."
Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
# A double: a JSON number, or text for what JSON has no number for ("NaN", "Infinity").
Double = float | str

R = TypeVar("R", bound="Request")


class Request(msgspec.Struct):
    """Base of the protocol's requests."""

    required: ClassVar[tuple[str, ...]] = ()
    max_bytes: ClassVar[int] = 0
    # Fields that come from a header, and from nowhere else.
    headers: ClassVar[Mapping[str, str]] = {}


class RunRequest(Request):
    """A request about a run. Clients send `run_id`, old ones `run_uuid`, many both."""

    required: ClassVar[tuple[str, ...]] = ("run_id",)

    run_id: str = ""
    run_uuid: str = ""

    def __post_init__(self) -> None:
        self.run_id = self.run_id or self.run_uuid


def read_request(kind: type[R], request: HttpRequest, path_values: Mapping[str, str]) -> R:
    """The request as `kind`. Raises `InvalidInput` or `BadRequest` with the protocol's words."""
    body = _read_body(kind, request)
    query = request.META.get("QUERY_STRING", "")
    if body and not query and not path_values:
        value = _decode(kind, body)
    else:
        data = _raw_object(body) if body else {}
        data |= _query_values(kind, request) if query else {}
        value = _convert(kind, data | dict(path_values))
    for name in kind.required:
        if getattr(value, name) in (None, ""):
            raise missing_value(name)
    for name, header in kind.headers.items():
        setattr(value, name, request.headers.get(header, ""))
    return value


def missing_value(path: str) -> InvalidInput:
    """The protocol's error for a required parameter that is absent or empty."""
    return InvalidInput(f"Missing value for required parameter '{path}'.{SEE_DOCS}")


def invalid_value(path: str, value: object, hint: str = "") -> InvalidInput:
    """The protocol's error for a parameter of the wrong type or form."""
    tail = f": {hint}" if hint else "."
    return InvalidInput(f"Invalid value {_as_json(value)} for parameter '{path}' supplied{tail}")


def check_most(path: str, value: int, most: int) -> None:
    """Raise `InvalidInput`, in the protocol's words, for a whole number above what its schema takes."""
    if value > most:
        raise _wrong_type(path, value)


def _as_json(value: object) -> str:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=str).decode()[:500]
    except TypeError:
        # Numbers of more than 64 bits; beyond some thousands of digits Python won't print them either.
        return f"{value:.6g}" if isinstance(value, int) and value.bit_length() < 1000 else '"..."'


def parse_double(path: str, value: Double) -> tuple[float, bool]:
    """`(value, is_nan)` in the stored form: NaN as (0.0, True), infinities as the largest finite double."""
    try:
        number = float(value)
    except (ValueError, OverflowError) as error:
        raise _wrong_type(path, value) from error
    if math.isnan(number):
        return 0.0, True
    return max(-sys.float_info.max, min(sys.float_info.max, number)), False


def show_double(value: float, is_nan: bool) -> float | str:
    """The inverse of `parse_double`, as JSON that every client reads."""
    return "NaN" if is_nan else value


def _read_body(kind: type[Request], request: HttpRequest) -> bytes:
    length = request.META.get("CONTENT_LENGTH") or "0"
    limit = kind.max_bytes or settings.MAX_JSON_BYTES
    if length.isdecimal() and int(length) > settings.MAX_JSON_BYTES:
        raise TooLarge(f"Requests to this route must be at most {limit} bytes.")
    body = request.body
    if not body:
        return b""
    content_type = request.META.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise BadRequest("Bad Request. Content-Type header must be one of ['application/json'].")
    if request.META.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
        raise UnsupportedMediaType("Compressed bodies are not taken.")
    if kind.max_bytes and len(body) > kind.max_bytes:
        raise InvalidInput(
            f"Batched logging API requests must be at most {kind.max_bytes} bytes, got a request of size {len(body)}."
        )
    _refuse_nul(body)
    return body


def _refuse_nul(text: bytes) -> None:
    if b"\\u0000" in text:
        raise InvalidInput("Text must not contain NUL characters.")


def _decode(kind: type[R], body: bytes) -> R:
    try:
        return msgspec.json.decode(body, type=kind, strict=False)
    except msgspec.ValidationError:
        # The rare cases (null for a default, a double-encoded body, an error to word) can afford a second pass.
        return _convert(kind, _raw_object(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest("The body is not valid JSON.") from error


def _raw_object(body: bytes) -> dict[str, Any]:
    try:
        raw = msgspec.json.decode(body)
        if isinstance(raw, str):  # older clients encode twice
            _refuse_nul(raw.encode())
            raw = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest("The body is not valid JSON.") from error
    if not isinstance(raw, dict):
        raise BadRequest("The body has to be a JSON object.")
    return raw


def _convert(kind: type[R], data: Mapping[str, Any]) -> R:
    try:
        return msgspec.convert(_without_nulls(data), type=kind, strict=False)
    except msgspec.ValidationError as error:
        raise _worded(error, data) from error
    except RecursionError as error:
        raise BadRequest("The body is nested too deeply.") from error


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


_WHERE = re.compile(r" - at `\$\.?(?P<path>.*)`$")
_LACKING = re.compile(r"missing required field `(?P<field>[^`]+)`")


def _worded(error: msgspec.ValidationError, data: Mapping[str, Any]) -> InvalidInput:
    message = str(error)
    where = _WHERE.search(message)
    path = where["path"] if where else ""
    if lacking := _LACKING.search(message):
        return missing_value(f"{path}.{lacking['field']}" if path else lacking["field"])
    return _wrong_type(path or "body", _value_at(data, path))


def _wrong_type(path: str, value: object) -> InvalidInput:
    return invalid_value(path, value, f" Hint: Value was of type '{type(value).__name__}'.{SEE_DOCS}")


def _value_at(data: Any, path: str) -> Any:
    for step in re.findall(r"[^.\[\]]+", path):
        try:
            data = data[int(step)] if isinstance(data, list) else data[step]
        except (KeyError, IndexError, ValueError, TypeError):
            return None
    return data


def _query_values(kind: type[Request], request: HttpRequest) -> dict[str, Any]:
    if "\x00" in request.META["QUERY_STRING"] or "%00" in request.META["QUERY_STRING"]:
        raise InvalidInput("Text must not contain NUL characters.")
    lists = _list_fields(kind)
    return {name: values if name in lists else values[-1] for name, values in request.GET.lists()}


@cache
def _list_fields(kind: type[Request]) -> frozenset[str]:
    return frozenset(field.name for field in msgspec.structs.fields(kind) if get_origin(field.type) is list)
