"""A stamp of what lies in a version's folder, without reading it: other files have another one."""

from __future__ import annotations

import hashlib

from botocore.exceptions import BotoCoreError, ClientError

from apps.core.errors import InvalidInput, Unavailable
from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.folders import ROOT, ArtifactFolder
from apps.experiments.artifacts.store import Entry

MOST_FILES = 10_000
_DEEPEST = 32


def files_in(folder: ArtifactFolder) -> list[Entry]:
    """All files anywhere below, by path. Raises `InvalidInput` for too many, `Unavailable` where the store is away."""
    try:
        return sorted(_files(folder, ROOT, []), key=lambda entry: entry.path)
    except (OSError, BotoCoreError, ClientError) as error:
        raise Unavailable("The version's files can't be read now") from error


def stamp_of(files: list[Entry]) -> str:
    """64 hex digits that change with what a file is called, its size and its content."""
    lines = (f"{entry.path}\x00{entry.size}\x00{entry.tag}\n" for entry in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _files(folder: ArtifactFolder, at: ArtifactPath, found: list[Entry]) -> list[Entry]:
    for entry in folder.list(at):
        if not entry.is_dir:
            found.append(entry)
        elif entry.path.count("/") < _DEEPEST:
            _files(folder, ArtifactPath.parse(entry.path), found)
        if len(found) > MOST_FILES:
            raise InvalidInput(f"A version of more than {MOST_FILES} files can't be built.")
    return found
