"""The stores that files lie in, as backup and restore see them: whole, and by content.

A file of a store is never written into: what comes new takes the old one's place when it is whole. So who has opened
a file reads all of it as it was, whatever happens meanwhile.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from apps.core.errors import InvalidInput
from apps.core.paths import ArtifactPath

_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Found:
    """A file of a store. `tag` changes with the content."""

    path: str
    size: int
    tag: str
    modified_ms: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that is read: what it is, and its bytes."""

    found: Found
    pieces: Iterator[bytes]


class FileStore(Protocol):
    """All files below one place. `at_once`: so many small ones are read or written side by side."""

    name: str
    at_once: int

    def walk(self) -> Iterator[Found]:
        """Every file that Slipway could give to somebody."""

    def open(self, path: str) -> Opened | None:
        """A file as it is now, or None where it is gone."""

    def write(self, path: str, pieces: Iterable[bytes], found: Found) -> None:
        """Put a file in its place when all of it is there; nothing where `pieces` fails."""

    def remove(self, path: str) -> None:
        """Delete a file, and the folders that are empty then."""

    def settle(self) -> None:
        """Have all that was written outlive a power cut."""


class DiskFiles:
    """A folder; drafts lie in `uploads`, on the same file system."""

    at_once = 1

    def __init__(self, root: Path, uploads: Path) -> None:
        self.name = str(root)
        self._root, self._uploads = root, uploads
        self._made: set[Path] = set()

    def walk(self) -> Iterator[Found]:
        folders = [""]
        while folders:
            folder = folders.pop()
            for entry in _entries(self._root / folder):
                path = f"{folder}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    folders.append(f"{path}/")
                elif entry.is_file(follow_symlinks=False) and is_canonical(path) and (stat := _stat(entry)):
                    yield _found(path, stat)

    def open(self, path: str) -> Opened | None:
        try:
            handle = os.open(self._root / path, os.O_RDONLY | os.O_NOFOLLOW)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Opened(_found(path, os.fstat(handle)), _read(handle))

    def write(self, path: str, pieces: Iterable[bytes], found: Found) -> None:
        target = self._root.joinpath(*ArtifactPath.parse(path).segments)
        draft = self._uploads / f"{secrets.token_hex(16)}.part"
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0) as file:
                for piece in pieces:
                    file.write(piece)
            os.utime(draft, ns=(found.modified_ms * 1_000_000, found.modified_ms * 1_000_000))
            self._make(target.parent)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)

    def remove(self, path: str) -> None:
        target = self._root / path
        target.unlink(missing_ok=True)
        for folder in target.parents:
            if folder == self._root:
                return
            try:
                folder.rmdir()
            except OSError:
                return
            self._made.discard(folder)

    def settle(self) -> None:
        # One call for all: a call for each file would take longer than writing them.
        os.sync()

    def _make(self, folder: Path) -> None:
        if folder in self._made:
            return
        missing = [each for each in (folder, *folder.parents) if each.is_relative_to(self._root) and not each.exists()]
        for each in reversed(missing):
            each.mkdir(mode=0o700)
        self._made.add(folder)


def is_canonical(path: str) -> bool:
    """Whether Slipway could have put a file there. Others may have put more into its folders."""
    try:
        ArtifactPath.parse(path)
    except InvalidInput:
        return False
    return True


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """By name; nothing where the folder was deleted meanwhile."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _stat(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None


def _found(path: str, stat: os.stat_result) -> Found:
    tag = f"{stat.st_mtime_ns:x}-{stat.st_size:x}-{stat.st_ino:x}"
    return Found(path, stat.st_size, tag, stat.st_mtime_ns // 1_000_000)


def _read(handle: int) -> Iterator[bytes]:
    with os.fdopen(handle, "rb", buffering=0) as file:
        while piece := file.read(_PIECE):
            yield piece
