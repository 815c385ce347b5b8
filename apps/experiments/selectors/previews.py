"""What a page shows of a file that somebody logged: chosen by name, read from its first bytes, never run."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import orjson
import yaml

TEXT_BYTES = 512 * 1024
FRAMED_BYTES = 32 * 1024 * 1024
_MAX_ROWS = 200
_MAX_COLUMNS = 60
_MAX_LINES = 5_000
_MAX_YAML_BYTES = 64 * 1024

# Pictures made of pixels: no browser runs anything in them.
IMAGES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
}
# What a browser could run; only sent to a frame without our origin.
FRAMED = {".html": "text/html; charset=utf-8", ".htm": "text/html; charset=utf-8", ".svg": "image/svg+xml"}
_TABLES = {".csv": ",", ".tsv": "\t"}
_MARKDOWN = {".md", ".markdown"}
_JSON = {".json", ".geojson", ".ipynb"}
_TEXT = {
    *(".txt", ".log", ".py", ".r", ".sh", ".sql", ".js", ".ts", ".css", ".xml", ".yaml", ".yml", ".toml", ".ini"),
    *(".cfg", ".conf", ".env", ".jsonl", ".ndjson", ".tex", ".rst", ".java", ".scala", ".go", ".rs", ".c", ".cpp"),
    *(".h", ".hpp", ".cu", ".proto", ".dockerfile", ".diff", ".patch", ".prompt", ".jinja", ".j2"),
}
_TEXT_NAMES = {"dockerfile", "makefile", "requirements", "license", "readme", "mlproject"}


@dataclass(frozen=True, slots=True)
class Preview:
    """`kind` names the template part: image, frame, table, markdown, json, text, model or none."""

    kind: str
    text: str = ""
    lines: str = ""
    columns: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    is_cut: bool = False


def kind_of(name: str) -> str:
    """How a file of this name is shown; `none` where only a download is offered."""
    suffix, base = PurePosixPath(name.lower()).suffix, name.rpartition("/")[2]
    if base == "MLmodel":
        return "model"
    if base.lower() in _TEXT_NAMES:
        return "text"
    table: list[tuple[Any, str]] = [
        (IMAGES, "image"), (FRAMED, "frame"), (_TABLES, "table"), (_MARKDOWN, "markdown"), (_JSON, "json"),
        (_TEXT, "text"),
    ]  # fmt: skip
    return next((kind for suffixes, kind in table if suffix in suffixes), "none")


def media_type_of(name: str) -> str:
    """The type to show a file with; empty for those that are only sent as attachments."""
    suffix = PurePosixPath(name.lower()).suffix
    return IMAGES.get(suffix) or FRAMED.get(suffix, "")


def needs_content(kind: str) -> bool:
    """Whether the page itself shows what is in the file; images and frames fetch it."""
    return kind not in {"image", "frame", "none"}


def preview(name: str, head: bytes, *, is_cut: bool) -> Preview:
    """What to show of a file that begins with `head`; text that is none is not shown."""
    if b"\x00" in head[:8192]:
        return Preview("none")
    text = head.decode("utf-8", "replace")
    readers: dict[str, Callable[[str, str, bool], Preview]] = {
        "table": _table, "json": _json, "model": _model, "markdown": _markdown, "text": _text,
    }  # fmt: skip
    return readers[kind_of(name)](name, text, is_cut)


def _text(name: str, text: str, is_cut: bool) -> Preview:
    lines = text.splitlines()[:_MAX_LINES]
    numbers = "\n".join(str(number) for number in range(1, len(lines) + 1))
    return Preview("text", "\n".join(lines), numbers, is_cut=is_cut or len(text.splitlines()) > _MAX_LINES)


def _markdown(name: str, text: str, is_cut: bool) -> Preview:
    return Preview("markdown", text, is_cut=is_cut)


def _table(name: str, text: str, is_cut: bool) -> Preview:
    delimiter = _TABLES[PurePosixPath(name.lower()).suffix]
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        return _text(name, text, is_cut)
    # The last line of a beginning is likely a part of one.
    rows = rows[:-1] if is_cut and len(rows) > 1 else rows
    return _as_table(rows[0] if rows else [], rows[1:], is_cut)


def _as_table(columns: list[Any], rows: list[list[Any]], is_cut: bool) -> Preview:
    shown = [[_cell(cell) for cell in row[:_MAX_COLUMNS]] for row in rows[:_MAX_ROWS]]
    cut = is_cut or len(rows) > _MAX_ROWS or len(columns) > _MAX_COLUMNS
    return Preview("table", columns=[_cell(column) for column in columns[:_MAX_COLUMNS]], rows=shown, is_cut=cut)


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
    return text if len(text) <= 200 else f"{text[:200]}…"


def _json(name: str, text: str, is_cut: bool) -> Preview:
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError:
        return _text(name, text, is_cut)
    if _is_logged_table(data):
        return _as_table(data["columns"], data["data"], is_cut)
    return _text(name, orjson.dumps(data, option=orjson.OPT_INDENT_2).decode(), is_cut)


def _is_logged_table(data: Any) -> bool:
    """The form in which the client's `log_table` writes: columns and rows."""
    if not isinstance(data, dict) or not {"columns", "data"} <= data.keys():
        return False
    columns, rows = data["columns"], data["data"]
    return isinstance(columns, list) and isinstance(rows, list) and all(isinstance(row, list) for row in rows)


def _model(name: str, text: str, is_cut: bool) -> Preview:
    """The facts of an MLmodel file. Parsed without types and without aliases, which can be bombs."""
    shown = _text(name, text, is_cut)
    if is_cut or len(text) > _MAX_YAML_BYTES or any(isinstance(t, yaml.AliasToken) for t in _tokens(text)):
        return shown
    try:
        described = yaml.safe_load(text)
        # A number may be too long for Python to write it down.
        facts = _model_facts(described) if isinstance(described, dict) else None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError):
        return shown
    return shown if facts is None else Preview("model", shown.text, shown.lines, facts=facts, is_cut=False)


def _tokens(text: str) -> list[Any]:
    try:
        return list(yaml.scan(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError:
        return []


def _model_facts(described: dict[Any, Any]) -> list[tuple[str, str]]:
    flavors, signature = described.get("flavors"), described.get("signature")
    facts = {
        "flavors": ", ".join(map(str, flavors)) if isinstance(flavors, dict) else None,
        "model_id": described.get("model_id") or described.get("model_uuid"),
        "run_id": described.get("run_id"),
        "mlflow_version": described.get("mlflow_version"),
        "utc_time_created": described.get("utc_time_created"),
        "model_size_bytes": described.get("model_size_bytes"),
    }
    if isinstance(signature, dict):
        facts |= {f"signature: {part}": _signature(signature.get(part)) for part in ("inputs", "outputs", "params")}
    return [(key, str(value)) for key, value in facts.items() if value]


def _signature(text: Any) -> str:
    """Names and types of a signature's columns, or its text where it is something else."""
    try:
        columns = orjson.loads(text) if isinstance(text, str) else text
    except orjson.JSONDecodeError:
        return str(text)[:1000]
    if not isinstance(columns, list):
        return ""
    return ", ".join(_column(column) for column in columns[:100] if isinstance(column, dict))


def _column(column: dict[str, Any]) -> str:
    spec = column.get("tensor-spec")
    kind = f"{spec.get('dtype')}{spec.get('shape')}" if isinstance(spec, dict) else column.get("type", "")
    return f"{column['name']}: {kind}" if column.get("name") else str(kind)
