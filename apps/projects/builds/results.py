"""What a build's child left: read as what a stranger wrote, which it is."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from apps.core.errors import InvalidInput

NAME = "result.json"
MAX_BYTES = 512 * 1024
_NOTHING = "The build left no result that can be read."

Amount = Annotated[float, msgspec.Meta(ge=0, le=1e12)]
Short = Annotated[str, msgspec.Meta(max_length=2000)]


class BuildResult(msgspec.Struct, omit_defaults=True, kw_only=True):
    """Times in milliseconds. `error`: why the model can't be loaded or scored; then nothing else counts."""

    load_ms: Amount = 0
    import_ms: Amount = 0
    latency_ms: Amount | None = None
    example: bool = False
    scored: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 0
    answer: Short = ""
    schema: dict[str, Short | None] = {}
    packages: Annotated[list[Annotated[str, msgspec.Meta(max_length=300)]], msgspec.Meta(max_length=1000)] = []
    python: Short = ""
    mlflow: Short = ""
    error: Short = ""

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        kept: dict[str, Any] = msgspec.to_builtins(self)
        return kept


def read_result(folder: Path) -> BuildResult:
    """The result in a folder that the child could write to. Raises `InvalidInput` for what it may not be.

    No link is followed, and nothing is waited for: where a file is wanted a child can lay a link or a pipe.
    """
    try:
        return _checked(_content(folder))
    except (OSError, ValueError) as error:
        raise InvalidInput(_NOTHING) from error


def _content(folder: Path) -> bytes:
    # Opened one from the other, so that nothing in between is swapped for a link.
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        file = os.open(NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
    finally:
        os.close(at)
    with os.fdopen(file, "rb") as content:
        found = os.fstat(content.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_BYTES:
            raise ValueError("no plain file, or too large")
        return content.read(MAX_BYTES)


def _checked(content: bytes) -> BuildResult:
    result = msgspec.json.decode(content, type=BuildResult)
    _refuse_nul(result.to_json())
    return result


def _refuse_nul(value: Any) -> None:
    """The database keeps no NUL."""
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("a NUL character")
    inner = [*value, *value.values()] if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for each in inner:
        _refuse_nul(each)
