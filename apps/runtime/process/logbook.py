"""Reads what a `Journal` wrote, in whichever process that is."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from pathlib import Path

from apps.runtime.process.journal import files_of

_READ_TRIES = 5


def read_log(room: Path, start_at: int, at_most: int) -> tuple[int, bytes]:
    """What was written to `room/log` from a byte on, and where that begins: later, where that is not kept any more.

    A negative place counts from the end.
    """
    for _ in range(_READ_TRIES):
        # Files go away when new ones are begun.
        with suppress(FileNotFoundError):
            return _read(room / "log", start_at, at_most)
    return max(0, start_at), b""


def _read(folder: Path, start_at: int, at_most: int) -> tuple[int, bytes]:
    with ExitStack() as stack:
        kept = [(begin, stack.enter_context((folder / name).open("rb"))) for begin, name in files_of(str(folder))]
        ends = [begin + os.fstat(file.fileno()).st_size for begin, file in kept]
        first, end = (kept[0][0], ends[-1]) if kept else (0, 0)
        at = start = min(max(first, start_at if start_at >= 0 else end + start_at), end)
        pieces = []
        for (begin, file), until in zip(kept, ends, strict=True):
            if begin <= at < until and at - start < at_most:
                pieces.append(os.pread(file.fileno(), min(until, start + at_most) - at, at - begin))
                at += len(pieces[-1])
        return start, b"".join(pieces)
