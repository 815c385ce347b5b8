"""How a part that serves no port says that it still goes round: it touches a file, where one is named.

An engine's check of a container then asks for the file's age, which costs nothing.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from slipway import env

_SECONDS = 5.0


class Alive:
    """The file of `SLIPWAY_ALIVE_FILE`; without that, nothing."""

    def __init__(self) -> None:
        named = env.text("SLIPWAY_ALIVE_FILE")
        self._file = Path(named) if named else None
        self._next = 0.0

    def touch(self, *_: object, **__: object) -> None:
        """Say so, every few seconds at most."""
        now = time.monotonic()
        if self._file is None or now < self._next:
            return
        self._next = now + _SECONDS
        try:
            self._file.touch()
            os.utime(self._file)
        except OSError:
            # Who asks for the file's age notices.
            return
