"""The one type for paths that callers name inside an artifact folder.

Every published hole of this kind was a second spelling that a denylist missed, so nothing is repaired here:
a path is canonical or it is refused (reference: OWASP ASVS 5.0, V5).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote

from apps.core.errors import InvalidInput

MAX_PATH_LENGTH = 1024
MAX_SEGMENT_BYTES = 255

# `?#;` are how URLs hide a tail; U+FFFD stands where the caller's bytes were no UTF-8.
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\?#;\ufffd]|^[A-Za-z]:|^[A-Za-z][A-Za-z0-9+.-]*:/")
# What may not come out of a percent sign: what parts or ends a path, and the bytes that begin a longer character, since
# `%c0%ae` is a dot to careless decoders.
_MARKS = "./\\\0\r\n" + "".join(map(chr, range(0xC0, 0x100)))
# `.`, `..` and longer; a drive of Windows, on every system.
_NOT_A_NAME = re.compile(r"\.+|[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class ArtifactPath:
    """Relative, canonical segments below a root. The root itself has no segments."""

    segments: tuple[str, ...]

    @classmethod
    def parse(cls, raw: str) -> Self:
        """A file or folder below the root; empty, `.` and the root itself are refused.

        Raises `InvalidInput` for anything that isn't canonical, in words that never repeat a path of the server.
        """
        path = cls.parse_or_root(raw)
        if not path.segments:
            raise InvalidInput("Invalid path: a file or folder below the root has to be named.")
        return path

    @classmethod
    def parse_or_root(cls, raw: str) -> Self:
        """Like `parse`, and an empty string is the root: for listings."""
        if raw == "":
            return cls(())
        if len(raw) > MAX_PATH_LENGTH or _FORBIDDEN.search(raw):
            raise InvalidInput("Invalid path")
        if _hides_special_characters(raw) or _hides_a_path(raw):
            raise InvalidInput("Invalid path")
        segments = tuple(raw.split("/"))
        if any(_is_bad_segment(segment) for segment in segments):
            raise InvalidInput("Invalid path")
        return cls(segments)

    def joined(self, other: ArtifactPath) -> ArtifactPath:
        """This path with another below it."""
        return ArtifactPath(self.segments + other.segments)

    @property
    def name(self) -> str:
        """The last segment; empty for the root."""
        return self.segments[-1] if self.segments else ""

    def __str__(self) -> str:
        return "/".join(self.segments)


def _is_bad_segment(segment: str) -> bool:
    if segment != segment.strip() or _NOT_A_NAME.fullmatch(segment):
        return True
    return not 0 < len(segment.encode("utf-8", "surrogatepass")) <= MAX_SEGMENT_BYTES


def _hides_special_characters(raw: str) -> bool:
    """Lone surrogates, and full-width look-alikes that fold to `.`, `/` or `\\`."""
    try:
        raw.encode()
    except UnicodeEncodeError:
        return True
    folded = unicodedata.normalize("NFKC", raw)
    return any(folded.count(mark) != raw.count(mark) for mark in "./\\%")


def _hides_a_path(raw: str) -> bool:
    """Whether decoding it once more, or again and again, would make another path of it (`%2e%2e` becomes `..`).

    Other percent signs are characters like any: clients before 3.7 name images `loss%step%3%timestamp%1795492207364`.
    """
    decoded = raw
    while "%" in decoded and (further := unquote(decoded, "latin-1")) != decoded:
        decoded = further
    return decoded != raw and any(decoded.count(mark) != raw.count(mark) for mark in _MARKS)
