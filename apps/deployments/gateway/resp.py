"""What Redis says, in its protocol's third version and the second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that was said, and where the next begins.

    `is_push`: nobody asked for it. `is_error`: `value` says why.
    """

    value: Any
    end: int
    is_push: bool = False
    is_error: bool = False


def read(data: bytes, start: int) -> Said | None:
    """What begins at `start`; None where it is not all there. Raises `ValueError` for what is not of the protocol."""
    stop = data.find(b"\r\n", start)
    if stop < 0:
        return None
    kind, text, after = data[start : start + 1], data[start + 1 : stop], stop + 2
    match kind:
        case b"$" | b"=":
            return _bulk(data, int(text), after)
        case b":":
            return Said(int(text), after)
        case b"+" | b"," | b"(" | b"#":
            return Said(text, after)
        case b"-":
            return Said(text, after, is_error=True)
        case b"_":
            return Said(None, after)
        case b"*" | b"~" | b">":
            return _several(data, int(text), after, is_push=kind == b">")
        case b"%":
            return _several(data, 2 * int(text), after)
    raise ValueError(f"not of the protocol: {kind!r}")


def _bulk(data: bytes, size: int, after: int) -> Said | None:
    if size == -1:
        return Said(None, after)
    if size < 0:
        raise ValueError("a negative size")
    return Said(data[after : after + size], after + size + 2) if len(data) >= after + size + 2 else None


def _several(data: bytes, count: int, after: int, *, is_push: bool = False) -> Said | None:
    if count == -1:
        return Said(None, after)
    values = []
    for _ in range(count):
        said = read(data, after)
        if said is None:
            return None
        values.append(said.value)
        after = said.end
    return Said(values, after, is_push=is_push)
