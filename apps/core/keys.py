"""Primary keys as clients write them."""

from __future__ import annotations


def parse_key(text: str) -> int | None:
    """The key; None for what can be none: other than digits, or more of them than a column holds."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None
