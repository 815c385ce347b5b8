"""Copying a version's files out of the store, as they are at one moment, with the sum by which copies are known."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from apps.core.errors import Conflict, InvalidInput
from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.folders import ArtifactFolder
from apps.experiments.artifacts.store import Entry
from apps.registry.stamps import files_in, stamp_of


def copy_files(
    folder: ArtifactFolder, into: Path, at_most_bytes: int, check: Callable[[], None] = lambda: None
) -> tuple[list[Entry], str]:
    """Copy all files into an empty folder here; the SHA-256 is of their names and contents.

    `check` is called with each piece, and may raise. Raises `InvalidInput` where they are larger than `at_most_bytes`,
    `Conflict` where they were changed meanwhile.
    """
    files = files_in(folder)
    if sum(entry.size for entry in files) > at_most_bytes:
        raise InvalidInput(f"The version's files take more than the {at_most_bytes // 1024**2} MB that they may.")
    digest = hashlib.sha256()
    for entry in files:
        path = ArtifactPath.parse(entry.path)
        place = into.joinpath(*path.segments)
        place.parent.mkdir(parents=True, exist_ok=True)
        digest.update(f"{entry.path}\x00{entry.size}\x00".encode())
        with place.open("xb") as file:
            for piece in folder.open(path):
                check()
                digest.update(piece)
                file.write(piece)
    if stamp_of(files_in(folder)) != stamp_of(files):
        raise Conflict("The version's files were changed while they were copied.")
    return files, digest.hexdigest()
