"""Bodies as they come: decompressed within the limit, and parsed where that is needed to know what they are."""

from __future__ import annotations

import json
import zlib
from typing import Any

from .calls import Answer, problem

try:
    import orjson
except ImportError:
    orjson = None  # type: ignore[assignment]

FORMATS = {"dataframe_split", "dataframe_records", "instances", "inputs"}
_LLM = {"messages", "prompt", "input"}
_JSON_KINDS = {"application/json", "application/json; charset=utf-8", "application/json;charset=utf-8"}


class BadBody(Exception):
    """The body can't be used; `answer` says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body)
        self.answer = answer


def is_json(content_type: str) -> bool:
    """Whether it is JSON in the usual spelling; others are left to MLflow to judge."""
    return content_type in _JSON_KINDS or content_type.lower() in _JSON_KINDS


def decompressed(body: bytes, encoding: str, limit: int) -> bytes:
    """The body without its Content-Encoding. BadBody for what is no such thing, or has more than `limit` bytes then."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        message = f"Content-Encoding {encoding[:50]!r} is not supported. Send gzip, deflate or none."
        raise BadBody(problem(415, "BAD_REQUEST", message))
    parts: list[bytes] = []
    size = 0
    try:
        while body:
            unpacker = zlib.decompressobj(wbits=47 if encoding != "deflate" else 15)
            part = unpacker.decompress(body, limit - size + 1)
            size += len(part)
            if size > limit:
                message = f"The body is larger than {limit} bytes when decompressed, the limit of this server."
                raise BadBody(problem(413, "INVALID_PARAMETER_VALUE", message))
            parts.append(part)
            if not unpacker.eof:
                raise BadBody(problem(400, "BAD_REQUEST", "The compressed body is cut off."))
            body = unpacker.unused_data
    except zlib.error as error:
        raise BadBody(problem(400, "BAD_REQUEST", f"The body can't be decompressed: {error}")) from error
    return b"".join(parts)


def parsed(body: bytes) -> Any:
    """The JSON value, or None where it is none."""
    try:
        return orjson.loads(body) if orjson is not None else json.loads(body)
    except ValueError:
        pass
    try:
        # What orjson refuses and MLflow takes: NaN, infinities, a byte order mark.
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def is_rows(value: Any) -> bool:
    """Whether it is `{"data": …}`, which is none of MLflow's forms."""
    return isinstance(value, dict) and "data" in value and not (value.keys() & (FORMATS | _LLM))


def rows_as_mlflow(value: dict[str, Any], schema: Any) -> bytes:
    """`{"data": [[…]]}` and `{"data": {"values": [[…]]}}`, perhaps with params, as the body of MLflow's that means it.

    Rows are mapped by their places onto the signature's columns. BadBody says which were expected.
    """
    unknown = value.keys() - {"data", "params"}
    if unknown:
        raise _bad(f"Beside data there may be params; {', '.join(sorted(map(str, unknown)))} is not known.")
    rows = value["data"]
    if isinstance(rows, dict):
        if rows.keys() != {"values"}:
            raise _bad('As an object, data has "values" alone: {"data": {"values": [[…], […]]}}.')
        rows = rows["values"]
    if not isinstance(rows, list):
        raise _bad('data is a list of rows, like {"data": [[1, 2], [3, 4]]}.')
    body = {"params": value["params"]} if "params" in value else {}
    return json.dumps({**_form(rows, schema), **body}).encode()


def _form(rows: list[Any], schema: Any) -> dict[str, Any]:
    if schema is None:
        return {"dataframe_split": {"data": rows}} if rows and isinstance(rows[0], list) else {"inputs": rows}
    if schema.is_tensor_spec():
        return {"inputs": rows}
    names = schema.input_names() if schema.has_input_names() else None
    width = len(schema.inputs)
    if names == [0] or (width == 1 and rows and not isinstance(rows[0], list)):
        return {"inputs": rows}
    expected = f"{width} columns" + (": " + ", ".join(map(str, names)) if names else "")
    for place, row in enumerate(rows):
        if not isinstance(row, list):
            raise _bad(f"Row {place} of data is not a list. Each row has {expected}.")
        if len(row) != width:
            raise _bad(f"Row {place} of data has {len(row)} values. The model expects {expected}.")
    frame: dict[str, Any] = {"data": rows}
    if names:
        frame["columns"] = names
    return {"dataframe_split": frame}


def _bad(message: str) -> BadBody:
    return BadBody(problem(400, "INVALID_PARAMETER_VALUE", message))
