"""A log of bounded size in a folder: files named by the place of their first byte among all that was ever written.

For the keeper, which loads no more than it must.
"""

# ruff: noqa: PTH107, PTH118, PTH208
# pathlib alone would take as long to load as all the rest.

from __future__ import annotations

import os

# So many digits have the names, which therefore stand in order.
_DIGITS = 20


class Journal:
    """Writes. `most`: bytes of one file; the last two are kept."""

    def __init__(self, folder: str, most: int) -> None:
        self._folder, self._most = folder, most
        self._file, self._begin, self._end = -1, 0, 0

    def write(self, data: bytes) -> None:
        """The next bytes. What a full disk doesn't take is left out, and nobody waits for it."""
        if self._file < 0 or self._end - self._begin >= self._most:
            self._turn()
        try:
            self._end += os.write(self._file, data)
        except OSError:
            return

    def _turn(self) -> None:
        """Begin a file, and leave the one before it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        for begin, name in files_of(self._folder):
            if begin < self._begin:
                os.remove(os.path.join(self._folder, name))
        self._begin = self._end
        try:
            place = os.path.join(self._folder, f"{self._begin:0{_DIGITS}}")
            self._file = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError:
            return


def files_of(folder: str) -> list[tuple[int, str]]:
    """The files that are kept, by the place of their first byte."""
    try:
        return sorted((int(name), name) for name in os.listdir(folder) if name.isdigit() and len(name) == _DIGITS)
    except OSError:
        return []
