"""What becomes of a program's output before it is a log: plain UTF-8, whole lines, no controls, no secrets.

All of it works on blocks of many lines at once, as bytes: a run may write a gigabyte.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from urllib.parse import quote, quote_plus

MASK = b"***"
# Shorter lines of a secret of several lines, such as `}`, say nothing.
LEAST_LINE = 4
# Shorter values are looked for as they are: in another form they would be found where they are not.
_LEAST_FORM = 8
_BASE64_SKIPS = (0, 2, 3)

_CONTROLS = bytes([*range(0x09), *range(0x0B, 0x20), 0x7F])
_SYMBOLS = {code: chr(0x2421 if code == 0x7F else 0x2400 + code) for code in _CONTROLS}
_COLOUR = re.compile(rb"\x1b\[[0-9;:]*m")
# What terminals obey, but for colours; controls; what some readers take for the end of a line.
_SPECIAL = re.compile(
    rb"\x1b(?!\[[0-9;:]*m)(?:"
    rb"\[[0-?]*[ -/]*[@-~]"
    rb"|\][^\x07\x1b\n]*(?:\x07|\x1b\\)"
    rb"|[PX^_][^\x1b\n]*\x1b\\"
    rb"|[ -/]*[0-~]"
    rb"|)"
    rb"|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]+"
    rb"|\xc2[\x80-\x9f]"
    rb"|\xe2\x80[\xa8\xa9]"
)
_OVERWRITTEN = re.compile(rb"^[^\n]*\r", re.MULTILINE)
_LINE_END = re.compile(rb"\r+\n")

Span = tuple[int, int]


def readable(data: bytes) -> bytes:
    """The same as UTF-8; broken bytes become U+FFFD."""
    return data if data.isascii() else data.decode(errors="replace").encode()


def fold(block: bytes) -> bytes:
    """Of each line what followed its last carriage return; one before the line's end belongs to that end."""
    if b"\r" not in block:
        return block
    return _OVERWRITTEN.sub(b"", _LINE_END.sub(b"\n", block))


def clean(block: bytes) -> bytes:
    """Colours stay, what else terminals would obey goes, and controls are shown as symbols (`␀`)."""
    return _SPECIAL.sub(_harmless, block) if _may_harm(block) else block


def _may_harm(block: bytes) -> bool:
    """Much faster than looking for what exactly."""
    if len(block.translate(None, _CONTROLS)) != len(block):
        return True
    return not block.isascii() and any(begun in block for begun in (b"\xc2", b"\xe2\x80\xa8", b"\xe2\x80\xa9"))


def without_colours(block: bytes) -> bytes:
    """The text alone."""
    return _COLOUR.sub(b"", block) if b"\x1b" in block else block


def _harmless(found: re.Match[bytes]) -> bytes:
    token = found[0]
    if token[0] in _CONTROLS:
        is_sequence = token[0] == 0x1B and len(token) > 1
        return b"" if is_sequence else token.decode("ascii").translate(_SYMBOLS).encode()
    return b" " if len(token) == 3 else "\ufffd".encode()


class Mask:
    """Hides secrets: each value, each line of one that has several, and the forms that programs print them in."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {clean(form) for secret in secrets for form in _forms(secret)} - {b""}
        self._needles: Sequence[bytes] = sorted(forms, key=len, reverse=True)
        self.longest = max(map(len, self._needles), default=0)

    def hide(self, block: bytes) -> bytes:
        """The block with `***` for what is secret, also where colours change in the midst of it."""
        if not self._needles:
            return block
        plain = without_colours(block)
        spans = _merged(self._found(plain))
        if not spans:
            return block
        return _replaced(block, spans if len(plain) == len(block) else _in_coloured(block, spans))

    def end_at(self, segment: bytes, at: int) -> int:
        """Where to cut a segment at `at` or, where a secret would be cut there, after it."""
        ends = [end for start, end in _merged(self._found(segment[: at + self.longest])) if start < at < end]
        return ends[0] if ends else at

    def without_a_beginning(self, text: bytes) -> bytes:
        """The text of an unfinished line, less what at its end may become a secret."""
        begun = 0
        for needle in self._needles:
            sizes = range(min(len(needle) - 1, len(text)), begun, -1)
            begun = next((size for size in sizes if text.endswith(needle[:size])), begun)
        return text[: len(text) - begun]

    def _found(self, text: bytes) -> Iterator[Span]:
        for needle in self._needles:
            at = text.find(needle)
            while at >= 0:
                yield at, at + len(needle)
                at = text.find(needle, at + 1)


def _forms(secret: str) -> Iterator[bytes]:
    lines = [line for line in map(str.strip, secret.splitlines()) if line]
    yield from (line.encode(errors="replace") for line in lines if len(lines) == 1 or len(line) >= LEAST_LINE)
    value = secret.strip()
    if len(value) < _LEAST_FORM:
        return
    quoted = (quote(value, safe=""), quote(value), quote_plus(value))
    written = (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1])
    yield from (form.encode(errors="replace") for form in (*quoted, *written))
    yield from _in_base64(value.encode(errors="replace"))


def _in_base64(value: bytes) -> Iterator[bytes]:
    """What of the value's base64 depends on it alone, wherever it lies in what was encoded."""
    for encode in (b64encode, urlsafe_b64encode):
        for before, skip in enumerate(_BASE64_SKIPS):
            yield encode(bytes(before) + value)[skip : (before + len(value)) * 8 // 6]


def _merged(found: Iterable[Span]) -> list[Span]:
    """Those that overlap as one."""
    merged: list[Span] = []
    for start, end in sorted(found):
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _in_coloured(block: bytes, spans: Iterable[Span]) -> list[Span]:
    """Places in the text without colours as places in the text with them."""
    codes = [found.span() for found in _COLOUR.finditer(block)]
    gone = [0, *accumulate(end - start for start, end in codes)]
    places = [start - before for (start, _), before in zip(codes, gone, strict=False)]

    def place(at: int) -> int:
        return at + gone[bisect_right(places, at)]

    return [(place(start), place(end - 1) + 1) for start, end in spans]


def _replaced(block: bytes, spans: Iterable[Span]) -> bytes:
    pieces, at = [], 0
    for start, end in spans:
        # The colours that follow go by what was said in the midst of it.
        pieces += [block[at:start], MASK, *_COLOUR.findall(block, start, end)]
        at = end
    return b"".join((*pieces, block[at:]))
