"""The files of two folders, compared within limits: a store may be far away, and a folder may hold a million files."""

from __future__ import annotations

from dataclasses import dataclass

from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.folders import ROOT, ArtifactFolder

_MOST_FILES = 500
_MOST_FOLDERS = 40
# Files of the same size are read where they are small, and so many of them.
_READ_BYTES = 64 * 1024
_READ_FILES = 20


@dataclass(frozen=True, slots=True)
class ComparedFile:
    """A file in both folders; sizes in bytes, None: it isn't there. `rewritten`: as long as before, and other bytes."""

    path: str
    before: int | None
    after: int | None
    rewritten: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """`is_cut`: there are more files than were looked at."""

    files: list[ComparedFile]
    is_cut: bool


def compare(before: ArtifactFolder, after: ArtifactFolder) -> Comparison:
    """Both folders, by path."""
    (first, first_cut), (second, second_cut) = sizes_of(before), sizes_of(after)
    alike = [path for path in sorted(first.keys() & second.keys()) if first[path] == second[path] <= _READ_BYTES]
    rewritten = {path for path in alike[:_READ_FILES] if _content(before, path) != _content(after, path)}
    paths = sorted(first.keys() | second.keys())
    files = [ComparedFile(path, first.get(path), second.get(path), path in rewritten) for path in paths]
    return Comparison(files, first_cut or second_cut)


def sizes_of(folder: ArtifactFolder) -> tuple[dict[str, int], bool]:
    """The files anywhere below a folder with their sizes in bytes, and whether there are more of them."""
    found: dict[str, int] = {}
    waiting, looked_at = [ROOT], 0
    while waiting and looked_at < _MOST_FOLDERS and len(found) < _MOST_FILES:
        looked_at += 1
        for entry in folder.list(waiting.pop(0)):
            if entry.is_dir:
                waiting.append(ArtifactPath(tuple(entry.path.split("/"))))
            else:
                found[entry.path] = entry.size
    is_cut = bool(waiting) or len(found) > _MOST_FILES
    return dict(sorted(found.items())[:_MOST_FILES]), is_cut


def _content(folder: ArtifactFolder, path: str) -> bytes:
    return folder.head(ArtifactPath(tuple(path.split("/"))), _READ_BYTES)
