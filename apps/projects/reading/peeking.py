"""The files of an archive that say what the project is, unpacked alone: what describes it is small."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import IO

from django.conf import settings

from apps.core.errors import InvalidInput
from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.store import CHUNK, own_store
from apps.projects.mlproject.reading import FILE
from apps.projects.models import Archive
from apps.projects.reading.archives import Limits, opened, place_of

# As much as is read of one; more than any of them has.
_MOST_BYTES = 1024 * 1024
_DESCRIBING = (".yaml", ".yml", ".txt", ".toml", ".in", ".cfg")


def stored(archive: Archive) -> IO[bytes]:
    """An archive's file in the store, of which only what is read comes over."""
    return io.BufferedReader(_Stored(archive), CHUNK)


def peek(source: IO[bytes], into: Path) -> Path:
    """Write what describes a project below the empty folder `into`, and all other files empty; the project's folder.

    Where an archive holds one folder and nothing beside it, that is the project. Raises `InvalidInput`.
    """
    limits = Limits(files=settings.PROJECT_ARCHIVE_FILES, bytes=settings.PROJECT_UNPACKED_BYTES)
    with opened(source, limits) as archive:
        for entry in archive.infolist():
            target = into.joinpath(*place_of(entry).segments)
            try:
                _write(archive, entry, target)
            except OSError:
                raise InvalidInput(f"The archive holds '{entry.filename[:200]}' twice.") from None
    found = list(into.iterdir())
    return found[0] if len(found) == 1 and found[0].is_dir() else into


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    if entry.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        if _describes(target.name):
            with archive.open(entry) as content:
                # One byte more than is taken, so that whoever reads it sees that it is too large.
                file.write(content.read(_MOST_BYTES + 1))


def _describes(name: str) -> bool:
    return name.lower() == FILE.lower() or name.lower().endswith(_DESCRIBING)


class _Stored(io.RawIOBase):
    """A file of the store that can be read anywhere."""

    def __init__(self, archive: Archive) -> None:
        super().__init__()
        self._path, self._size, self._at = ArtifactPath.parse(archive.path), archive.bytes, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        end = min(self._size, self._at + len(buffer))
        if end <= self._at:
            return 0
        content = b"".join(own_store().read(self._path, self._at, end))
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)
