"""Values of strangers' cells as ours: what PostgreSQL can't keep is replaced, what is no number raises."""

from __future__ import annotations

import sys
from typing import Any

_LARGEST = sys.float_info.max


def text_of(cell: Any, most: int | None = None) -> str:
    """A text; none is an empty one. NUL and half characters can't be kept."""
    if cell is None:
        return ""
    text = str(cell).replace("\0", "\ufffd")
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode() if _has_surrogates(text) else text
    return text if most is None else text[:most]


def number_of(cell: Any) -> tuple[float, bool]:
    """A value of a metric in the stored form: NaN is 0 and a flag, infinity the largest number."""
    value = float(cell)
    if value != value:
        return 0.0, True
    return min(max(value, -_LARGEST), _LARGEST), False


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)
