"""What a keeper looks at now and then: whether anybody looks after it, and what its command takes."""

# ruff: noqa: PTH116
# pathlib alone would take as long to load as all the rest.

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
if TYPE_CHECKING or __package__:
    from apps.runtime.process.sizes import bytes_below
    from apps.runtime.process.tree import memory, shared_out
else:
    # Whose program it is has put this file's folder on the path.
    from sizes import bytes_below
    from tree import memory, shared_out

_MEMORY_SECONDS, _DISK_SECONDS, _LONGEST_SECONDS = 0.5, 10.0, 60.0
# Looking at the disk takes no more than a twentieth of the time.
_DISK_SHARE = 20
# What the command may write to, below the keeper's folder.
_ROOM = "room"


class Watch:
    """Of one command. All times are this process's own: the clock of the files may be set."""

    def __init__(self, wanted: dict[str, Any]) -> None:
        self._heartbeat, self._beat_seconds = str(wanted["heartbeat"]), float(wanted["beat_seconds"])
        self._memory: int | None = wanted["memory"]
        self._disk: int | None = wanted["disk"]
        self._touched, self._touched_at = -1.0, time.monotonic()
        self._disk_at = time.monotonic() + _DISK_SECONDS
        often = [self._beat_seconds / 4, _LONGEST_SECONDS]
        often += [_MEMORY_SECONDS] if self._memory else []
        often += [_DISK_SECONDS] if self._disk else []
        # How often `reason` is to be asked.
        self.seconds = min(often)

    def reason(self) -> str:
        """Why it has to end now: `forgotten`, `memory`, `disk`, or empty."""
        if self._memory and memory() > self._memory and shared_out() > self._memory:
            return "memory"
        if self._disk and self._is_full(self._disk):
            return "disk"
        return "forgotten" if self._is_forgotten() else ""

    def _is_full(self, most: int) -> bool:
        now = time.monotonic()
        if now < self._disk_at:
            return False
        size = bytes_below(_ROOM, most)
        took = time.monotonic() - now
        self._disk_at = time.monotonic() + max(_DISK_SECONDS, took * _DISK_SHARE)
        return size > most

    def _is_forgotten(self) -> bool:
        """Whether nobody has touched the file for too long."""
        try:
            touched = os.stat(self._heartbeat).st_mtime
        except OSError:
            touched = 0.0
        now = time.monotonic()
        if touched != self._touched:
            self._touched, self._touched_at = touched, now
        return now - self._touched_at > self._beat_seconds
