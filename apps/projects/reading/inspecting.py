"""Looking into an archive that somebody sent, without writing any of it: whether a run can begin with it."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from apps.core.errors import InvalidInput
from apps.core.paths import ArtifactPath
from apps.projects.mlproject import Project, parse_project
from apps.projects.mlproject.reading import FILE
from apps.projects.reading.archives import Limits, opened, place_of, pour, twice
from apps.runtime.documents import MAX_BYTES


@dataclass(frozen=True, slots=True)
class Contents:
    """What an archive holds: how many files of how many bytes, and the project that its MLproject describes."""

    files: int
    bytes: int
    project: Project


@dataclass(slots=True)
class _Seen:
    """The names that came so far, by where they lie."""

    files: dict[tuple[str, ...], zipfile.ZipInfo] = field(default_factory=dict)
    folders: set[tuple[str, ...]] = field(default_factory=set)

    def add(self, entry: zipfile.ZipInfo, place: ArtifactPath) -> None:
        """Raises `InvalidInput` for a file that has the name of another, or of a folder."""
        path, above = place.segments, [place.segments[:depth] for depth in range(1, len(place.segments))]
        if path in self.files or any(folder in self.files for folder in above):
            raise twice(entry)
        if not entry.is_dir():
            if path in self.folders:
                raise twice(entry)
            self.files[path] = entry
        self.folders.update(above)
        if entry.is_dir():
            self.folders.add(path)

    def top(self) -> tuple[str, ...]:
        """The folder of the project: where there is one folder and nothing beside it, that one."""
        tops = {path[0] for path in (*self.files, *self.folders)}
        only = tuple(tops)
        return only if len(tops) == 1 and only not in self.files else ()


def inspect(source: Path | IO[bytes], limits: Limits) -> Contents:
    """Read an archive to its end, as unpacking would. Raises `InvalidInput` as that does, and for its MLproject.

    Needs memory for the names alone, whatever comes out.
    """
    seen, size = _Seen(), 0
    with opened(source, limits) as archive:
        for entry in archive.infolist():
            seen.add(entry, place_of(entry))
            if not entry.is_dir():
                with archive.open(entry) as content:
                    size += pour(content, len, limits.bytes - size)
        return Contents(len(seen.files), size, _project(archive, seen))


def _project(archive: zipfile.ZipFile, seen: _Seen) -> Project:
    top = seen.top()
    beside = {path[-1]: entry for path, entry in seen.files.items() if path[:-1] == top}
    named = sorted(name for name in beside if name.lower() == FILE.lower())
    if len(named) > 1:
        raise InvalidInput(f"Which is the project's file? There are: {', '.join(named)}.")
    if not named:
        raise InvalidInput(f"The archive holds no file {FILE}: it belongs at the top, or in the only folder.")
    if beside[named[0]].file_size > MAX_BYTES:
        raise InvalidInput(f"{named[0]}: it has to be a plain file of at most {MAX_BYTES} bytes.")
    return parse_project(archive.read(beside[named[0]]), set(beside), named[0])
