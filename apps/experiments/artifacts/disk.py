"""Files in the data folder. A file appears whole, under its name, or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from apps.core.errors import Conflict, NotFound
from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.store import CHUNK, Entry, Source

# Where a path meets a file it can't go through, or a folder where a file should be.
_IN_THE_WAY = (NotADirectoryError, FileExistsError, IsADirectoryError)


class DiskStore:
    """`root` holds the files; `uploads`, on the same file system, those on their way in."""

    def __init__(self, root: Path, uploads: Path) -> None:
        self.root, self.uploads = Path(os.path.realpath(root)), uploads

    def list(self, folder: ArtifactPath) -> Sequence[Entry]:
        """Links and special files are left out, as if they weren't there."""
        try:
            with os.scandir(self.locate(folder)) as found:
                entries = [_entry(item.name, item.stat(follow_symlinks=False)) for item in found]
        except (FileNotFoundError, NotADirectoryError, NotFound):
            return []
        return sorted((entry for entry in entries if entry), key=lambda entry: entry.path)

    def stat(self, path: ArtifactPath) -> Entry | None:
        try:
            return _entry(str(path), self.locate(path).lstat())
        except (FileNotFoundError, NotADirectoryError, NotFound):
            return None

    def read(self, path: ArtifactPath, start: int, end: int) -> Iterator[bytes]:
        try:
            file = self.locate(path).open("rb", buffering=0)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise NotFound(f"No such artifact: '{path}'") from error
        return _pieces(file, start, end)

    def write(self, path: ArtifactPath, source: Source, length: int | None) -> None:
        target = self.locate(path)
        self._refuse_what_is_in_the_way(target, path)
        draft = self.draft()
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                while chunk := source.read(CHUNK):
                    file.write(chunk)
                _to_disk(file)
            self.adopt(draft, path)
        finally:
            draft.unlink(missing_ok=True)

    def adopt(self, draft: Path, path: ArtifactPath) -> None:
        """Give a finished file its place and name, replacing what had it. Raises `Conflict`."""
        target = self.locate(path)
        try:
            made = _make_folders(target.parent)
            try:
                draft.replace(target)
            except FileNotFoundError:
                # Somebody removed the folder in between.
                made = _make_folders(target.parent)
                draft.replace(target)
        except _IN_THE_WAY as error:
            raise _in_the_way(path) from error
        for folder in {target.parent, *(folder.parent for folder in made)}:
            _sync_folder(folder)

    def delete(self, path: ArtifactPath) -> bool:
        target = self.locate(path)
        try:
            mode = target.lstat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return False
        if stat.S_ISDIR(mode):
            # Out of sight at once, so that nobody reads a folder that is half gone.
            grave = self.draft()
            target.replace(grave)
            shutil.rmtree(grave, ignore_errors=True)
        else:
            target.unlink(missing_ok=True)
        return True

    def usage(self, folder: ArtifactPath) -> tuple[int, int]:
        count = size = 0
        for parent, _, names in os.walk(self.locate(folder)):
            for name in names:
                try:
                    size += Path(parent, name).lstat().st_size
                except FileNotFoundError:
                    continue
                count += 1
        return count, size

    def draft(self) -> Path:
        """A name for something on its way in or out; nothing lies there yet."""
        self.uploads.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.uploads / f"{secrets.token_hex(16)}.part"

    def locate(self, path: ArtifactPath) -> Path:
        """Where a path lies. Raises `NotFound` where a link would lead somewhere else."""
        place = self.root.joinpath(*path.segments)
        if os.path.realpath(place) != str(place):
            raise NotFound(f"No such artifact: '{path}'")
        return place

    def _refuse_what_is_in_the_way(self, target: Path, path: ArtifactPath) -> None:
        """Before gigabytes are sent, not after."""
        nearest = next(folder for folder in (target.parent, *target.parents) if os.path.lexists(folder))
        if not nearest.is_dir() or target.is_dir():
            raise _in_the_way(path)


def _entry(path: str, found: os.stat_result) -> Entry | None:
    modified = found.st_mtime_ns // 1_000_000
    if stat.S_ISDIR(found.st_mode):
        return Entry(path, True, modified_ms=modified)
    if not stat.S_ISREG(found.st_mode):
        return None
    tag = f"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}"
    return Entry(path, False, found.st_size, modified, tag)


def _pieces(file: FileIO, start: int, end: int) -> Iterator[bytes]:
    with file:
        file.seek(start)
        left = end - start
        while left > 0 and (chunk := file.read(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk


def _in_the_way(path: ArtifactPath) -> Conflict:
    return Conflict(f"'{path}' can't be written: a folder has this name, or a file has the name of one of its folders.")


def _make_folders(folder: Path) -> list[Path]:
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
    return missing


def _to_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
