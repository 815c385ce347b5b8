"""Where archives lie: a file here; `s3` has the objects of a bucket."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Protocol

from slipway.backup.failures import Refused


class Sink(Protocol):
    """An archive that is being written. It has its name only when it is whole."""

    def write(self, data: bytes) -> None:
        """Add to its end."""

    def finish(self) -> None:
        """All is written: give it its name."""

    def abandon(self) -> None:
        """Remove what was written."""


class Medium(Protocol):
    """An archive that can be read, from any place of it."""

    name: str
    size: int

    def read_at(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes; less at the end alone."""


class FileSink:
    """A file, written beside its place under the name `FILE.part`."""

    def __init__(self, path: Path) -> None:
        self._path, self._draft = path, path.with_name(f"{path.name}.part")
        if os.path.lexists(path):
            raise Refused(f"{path} is there already: choose another name.")
        try:
            # Nothing is emptied before it is sure that nobody else is at it.
            self._file = os.fdopen(os.open(self._draft, os.O_WRONLY | os.O_CREAT, 0o600), "wb", buffering=0)
        except OSError as error:
            raise Refused(f"{path} can't be written ({error.strerror}).") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise Refused(f"{path} is being written by another backup.") from error
        self._file.truncate(0)

    def write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]

    def finish(self) -> None:
        os.fsync(self._file.fileno())
        self._draft.replace(self._path)
        self._file.close()

    def abandon(self) -> None:
        self._draft.unlink(missing_ok=True)
        self._file.close()


class FileMedium:
    """A file."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        try:
            self._file = path.open("rb", buffering=0)
            self.size = os.fstat(self._file.fileno()).st_size
        except OSError as error:
            raise Refused(f"{path} can't be read ({error.strerror}).") from error

    def read_at(self, offset: int, size: int) -> bytes:
        return os.pread(self._file.fileno(), size, offset)
