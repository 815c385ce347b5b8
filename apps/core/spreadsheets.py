"""Text for the cells of files that people open with a spreadsheet."""

from __future__ import annotations

# A cell that starts like this is run as a formula, in full width too.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def as_cell(text: str, *, may_be_number: bool = False) -> str:
    """`text`, which an apostrophe makes plain text where a spreadsheet would run it."""
    is_plain = not text.startswith(_FORMULA_STARTS) or (may_be_number and _is_number(text))
    return text if is_plain else f"'{text}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
