"""A project's files on their way into a container."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import IO

from apps.runtime.folders import LEFT_OUT


def pack_into(folder: Path, name: str, file: IO[bytes]) -> None:
    """Write a folder as a tar that holds it under a name, and go back to its beginning.

    They belong to the container's root, and whoever the image runs as may change them: nobody else is in there. What
    archives of projects leave out is left out here.
    """
    with tarfile.open(fileobj=file, mode="w", dereference=False) as archive:
        archive.add(folder, arcname=name, filter=_opened)
    file.seek(0)


def _opened(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if not (entry.isfile() or entry.isdir() or entry.issym()) or Path(entry.name).name in LEFT_OUT:
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    executes = entry.isdir() or bool(entry.mode & 0o100)
    entry.mode = 0o777 if executes else 0o666
    return entry
