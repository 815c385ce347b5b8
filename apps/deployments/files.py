"""Files of versions on this host, for its instances: a folder for each content, copied once and only read.

Whoever uses one holds a shared lock beside it, so that cleaning takes none that is in use; a copy that was not finished
has no mark and is begun anew.
"""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from django.conf import settings

from apps.core.errors import Conflict, InvalidInput, Unavailable
from apps.deployments.models import Revision
from apps.registry.copying import copy_files
from apps.registry.mlmodel import folder_of_version
from apps.registry.models import ModelVersion

_MARK = ".ready"
_WAIT_SECONDS = 1800.0
_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class VersionFiles:
    """Below `root`, by the SHA-256 that the version's build noted."""

    root: Path

    @contextmanager
    def held(self, version: ModelVersion | None, sha256: str) -> Iterator[Path]:
        """The folder with a version's files, kept while the block runs. It is copied now where it isn't there.

        Raises `Conflict` where the version has other files by now, `Unavailable` where the store is away, and
        `InvalidInput` where there is no version any more to copy from.
        """
        if len(sha256) != 64 or not sha256.isalnum():
            raise InvalidInput("The revision was not built: it is not known which files it serves.")
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = self.root / sha256
        with lock_of(folder).open("w") as lock:
            self._made_ready(folder, version, lock)
            _mark_of(folder).touch()
            yield folder

    def clean(self, at_most_bytes: int) -> int:
        """Remove those that were not used for longest until the rest takes no more; how many went."""
        if not self.root.is_dir():
            return 0
        ready = sorted(self.root.glob(f"*{_MARK}"), key=lambda mark: mark.stat().st_mtime, reverse=True)
        total = removed = 0
        for mark in ready:
            total += int(mark.read_text() or 0)
            if total > at_most_bytes and self._removed(mark.with_suffix("")):
                removed += 1
        return removed

    def _made_ready(self, folder: Path, version: ModelVersion | None, lock: IO[str]) -> None:
        """Hold the lock shared on a folder that is whole."""
        deadline = time.monotonic() + _WAIT_SECONDS
        while True:
            _wait_for(lock, fcntl.LOCK_SH, deadline)
            if _mark_of(folder).exists():
                return
            # Two that keep theirs shared while they ask for more would wait for each other.
            fcntl.flock(lock, fcntl.LOCK_UN)
            _wait_for(lock, fcntl.LOCK_EX, deadline)
            if not _mark_of(folder).exists():
                self._copy(folder, version)

    def _copy(self, folder: Path, version: ModelVersion | None) -> None:
        if version is None:
            raise InvalidInput("The model version was deleted.")
        _remove(folder)
        folder.mkdir(mode=0o700)
        try:
            files, digest = copy_files(folder_of_version(version), folder, settings.PROJECT_DISK_MB * 1024**2)
            if digest != folder.name:
                raise Conflict("The version's files are others than those that were built; deploy it again.")
        except BaseException:
            _remove(folder)
            raise
        _make_read_only(folder)
        _mark_of(folder).write_text(str(sum(entry.size for entry in files)))
        self.clean(settings.SERVING_FILES_BYTES)

    def _removed(self, folder: Path) -> bool:
        with lock_of(folder).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            _mark_of(folder).unlink(missing_ok=True)
            _remove(folder)
            return True


@contextmanager
def fetched(revision: Revision) -> Iterator[Path]:
    """The folder with a revision's files on this host, kept while the block runs. Raises `DomainError`."""
    with VersionFiles(settings.DATA.serving / "models").held(revision.version, revision.sha256) as folder:
        yield folder


@contextmanager
def held_open(folder: Path) -> Iterator[int]:
    """The number of an open file by which a folder is kept as long as any process has it open.

    For a folder that is kept already: by `fetched`, or because nobody cleans where it lies.
    """
    with lock_of(folder).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield lock.fileno()


def lock_of(folder: Path) -> Path:
    """What is locked for a folder, beside it."""
    return folder.with_name(f"{folder.name}.lock")


def _mark_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}{_MARK}")


def _wait_for(lock: IO[str], how: int, deadline: float) -> None:
    while True:
        try:
            return fcntl.flock(lock, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Unavailable("The version's files are still being copied.") from None
            time.sleep(_LOOK_SECONDS)


def _make_read_only(folder: Path) -> None:
    """So that no instance changes what the next one loads; the folders too, or files could be replaced."""
    for place in (folder, *folder.rglob("*")):
        place.chmod(0o500 if place.is_dir() else 0o400)


def _remove(folder: Path) -> None:
    if not folder.exists():
        return
    for place in (folder, *folder.rglob("*")):
        if place.is_dir():
            place.chmod(0o700)
    shutil.rmtree(folder)
