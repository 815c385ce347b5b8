"""What commands of clients print: tables, fields and JSON on standard output, all else beside it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

_UNITS = ((1024**3, "GB"), (1024**2, "MB"), (1024, "KB"))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Columns as wide as their widest text; 0."""
    lines = [columns, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    for line in lines:
        print_line("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
    return 0


def print_fields(values: Mapping[str, Any]) -> int:
    """One in each line, without those that say nothing; 0."""
    told = {name: value for name, value in values.items() if value not in (None, "", [], {})}
    width = max(map(len, told), default=0)
    for name, value in told.items():
        print_line(f"{name.ljust(width)}  {_told(name, value)}")
    return 0


def print_json(value: Any) -> int:
    """For programs; 0."""
    return print_line(json.dumps(value, indent=2))


def print_line(text: str) -> int:
    """On standard output; 0."""
    print(text)  # noqa: T201
    return 0


def say(line: str) -> None:
    """On standard error, at once."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201


def age_of(since_ms: int) -> str:
    """How long ago: `3d`, `5h`, `12m`, `7s`."""
    seconds = max(0, int(time.time() - since_ms / 1000))
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def size_of(count: int | None) -> str:
    """Bytes for people; empty where nobody knows."""
    if count is None:
        return ""
    return next((f"{count / size:.0f} {unit}" for size, unit in _UNITS if count >= size), f"{count} B")


def _told(name: str, value: Any) -> str:
    if name.endswith("_ms") and value:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(value / 1000))
    return json.dumps(value) if isinstance(value, (bool, dict, list)) else str(value)
