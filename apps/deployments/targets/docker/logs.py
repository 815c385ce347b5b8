"""Logs of engines, which know no places in bytes: what they keep is copied, as it is asked for, into files that do."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from apps.deployments.targets.base import LogPiece
from apps.runtime.process.journal import files_of
from apps.runtime.process.logbook import read_log

_STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) ?")
_DIGITS = 20
_MOST = 4 * 1024 * 1024
# Gives all lines of a log from a time on, each with its time before it; empty: from its beginning.
Source = Callable[[str], bytes]


class CopiedLog:
    """In a folder of its own, which outlives supervisors. Its last two files are kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log, self._seen = folder / "log", folder / "seen"

    def catch_up(self, source: Source) -> None:
        """Copy what came since. Raises what the source raises."""
        self._log.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._folder / "log.lock").open("w") as lock:
            # Two who copy the same would copy it twice.
            fcntl.flock(lock, fcntl.LOCK_EX)
            seen = self._seen.read_text() if self._seen.exists() else ""
            lines, last = [], seen
            for stamp, line in _stamped(source(seen)):
                if stamp > seen:
                    lines.append(line)
                    last = max(last, stamp)
            if lines:
                self._append(b"".join(lines))
                self._seen.write_text(last)

    def read(self, start: int, at_most: int) -> LogPiece:
        """What was copied from a place on; a negative one counts from the end. No half a character."""
        begin, data = read_log(self._folder, start, at_most)
        whole = _without_half(data)
        return LogPiece(begin, begin + len(whole), whole.decode(errors="replace"))

    def _append(self, data: bytes) -> None:
        kept = files_of(str(self._log))
        begin, name = kept[-1] if kept else (0, f"{0:0{_DIGITS}}")
        size = (self._log / name).stat().st_size if kept else 0
        if size >= _MOST:
            for _, old in kept[:-1]:
                (self._log / old).unlink(missing_ok=True)
            name = f"{begin + size:0{_DIGITS}}"
        place = os.open(self._log / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(place, "wb") as file:
            file.write(data)


def _stamped(text: bytes) -> Iterator[tuple[str, bytes]]:
    """Lines with their times; one that has none belongs to the one before."""
    stamp = ""
    for line in text.splitlines(keepends=True):
        match = _STAMP.match(line)
        stamp = _padded(match[1].decode()) if match else stamp
        yield stamp, line[match.end() :] if match else line


def _padded(stamp: str) -> str:
    """With nine digits of a second, so that later times are greater texts."""
    seconds, _, fraction = stamp.removesuffix("Z").partition(".")
    return f"{seconds}.{fraction:0<9}Z"


def _without_half(data: bytes) -> bytes:
    """UTF-8 without the beginning of a character at its end."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0xC0:
            needs = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return data[:-back] if back < needs else data
        if byte < 0x80:
            return data
    return data
