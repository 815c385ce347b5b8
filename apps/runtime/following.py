"""Following a command: its output goes into the log, and it is ended where it takes too long or too much."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from queue import Empty, Queue
from typing import Protocol

from apps.runtime.base import Execution
from apps.runtime.folders import bytes_below
from apps.runtime.limits import Limits

# Between being asked to end and being killed; with what follows less than the ten seconds of a cancel.
GRACE_SECONDS = 8.0
LOOK_SECONDS = 0.1
# The same for one that has closed its output and goes on.
SILENT_SECONDS = 2.0
DISK_SECONDS = 2.0
# Looking takes no more than a twentieth of the time.
_DISK_SHARE = 20
# What may wait between reading and keeping, in pieces of up to 64 KB: then the command waits for us.
_PIECES = 32
_MIB = 1024 * 1024


class Keeper(Protocol):
    """Takes what a command writes."""

    def feed(self, data: bytes) -> None:
        """The next bytes."""

    def store_due(self) -> None:
        """To be called now and then while nothing comes."""

    def say(self, text: str) -> None:
        """A line of the worker's own."""


class Follower:
    """Follows one execution to its end. `room`: the folder whose size is bounded."""

    def __init__(self, execution: Execution, keeper: Keeper, limits: Limits, seconds: int, room: Path) -> None:
        self._execution, self._keeper, self._room = execution, keeper, room
        self._limits, self._seconds = limits, seconds
        self._pieces: Queue[bytes | None] = Queue(_PIECES)
        self._deadline = time.monotonic() + seconds
        self._next_look = time.monotonic() + DISK_SECONDS
        # Why it was ended here, in a sentence.
        self.stopped = ""

    def follow(self) -> int:
        """Its code, when nobody of it is left and all its output is kept. Raises what keeping raises."""
        threading.Thread(target=self._read, name="slipway output", daemon=True).start()
        try:
            self._keep_all()
        except BaseException:
            self._execution.kill(0)
            self._drain()
            raise
        # Who closes its output is held to its limits all the same.
        while (code := self._execution.wait(SILENT_SECONDS)) is None:
            self._look()
        return code

    def _keep_all(self) -> None:
        while (piece := self._next()) is not None:
            if piece:
                self._keeper.feed(piece)
            else:
                self._keeper.store_due()
            self._look()

    def _read(self) -> None:
        try:
            for piece in self._execution.output():
                self._pieces.put(piece)
        finally:
            self._pieces.put(None)

    def _next(self) -> bytes | None:
        """Empty where nothing came."""
        try:
            return self._pieces.get(timeout=LOOK_SECONDS)
        except Empty:
            return b""

    def _drain(self) -> None:
        while self._next() is not None:
            pass

    def _look(self) -> None:
        now = time.monotonic()
        if self.stopped:
            return
        if now > self._deadline:
            self._end(f"The time limit of {self._seconds} s was reached.")
        elif self._limits.disk_mb is not None and now > self._next_look:
            size = bytes_below(self._room, self._limits.disk_mb * _MIB)
            took = time.monotonic() - now
            self._next_look = time.monotonic() + max(DISK_SECONDS, took * _DISK_SHARE)
            if size > self._limits.disk_mb * _MIB:
                self._end(f"The limit of {self._limits.disk_mb} MB of disk was reached.")

    def _end(self, why: str) -> None:
        self.stopped = why
        self._keeper.say(why)
        # Its output is read meanwhile: it may have much to say before it ends.
        threading.Thread(target=self._execution.kill, args=(GRACE_SECONDS,), name="slipway end", daemon=True).start()
