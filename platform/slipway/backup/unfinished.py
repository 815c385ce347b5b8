"""A restore that is under way, and one that did not come to its end: nothing may be started from what it left."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from slipway.backup.failures import Refused
from slipway.paths import DataFolder


class Mark:
    """A file in the data folder, which names the archive, from the first file on until the database is in place."""

    def __init__(self, file: Path, archive: str) -> None:
        self._file, self._archive = file, archive

    def put(self) -> None:
        """From now on something is half done."""
        self._file.write_text(f"{self._archive}\n")

    def is_there(self) -> bool:
        """Whether an earlier try left it."""
        return self._file.exists()

    def remove(self) -> None:
        """All is done, or undone."""
        self._file.unlink(missing_ok=True)


@contextmanager
def held(data: DataFolder, archive: str, *, resume: bool) -> Iterator[Mark]:
    """The data folder for us alone. Raises `Refused` where something runs on it, or something is half done there."""
    try:
        data.make()
    except OSError as error:
        raise Refused(f"SLIPWAY_HOME: {data.root} can't be made ({error.strerror}).") from error
    # The one that `slipway up` holds.
    with (data.run / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Refused(f"`slipway up`, or another restore, runs on {data.root}.") from error
        _refuse_half_done(data, archive, resume=resume)
        yield Mark(data.unfinished_restore, archive)


def _refuse_half_done(data: DataFolder, archive: str, *, resume: bool) -> None:
    if not data.unfinished_restore.exists():
        return
    if not resume:
        raise Refused(f"A restore into {data.root} was not finished: go on with --resume, or empty the folder.")
    if data.unfinished_restore.read_text().strip() != archive:
        raise Refused(f"The restore into {data.root} that was not finished was of another archive.")
