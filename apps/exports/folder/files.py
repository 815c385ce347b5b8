"""The files of one run or logged model in a folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from apps.core.errors import DomainError
from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.folders import ArtifactFolder
from apps.experiments.artifacts.store import CHUNK, Entry
from apps.exports.folder.writing import Unwritable, path_of, same_file, set_time
from apps.exports.targets import Refused
from apps.imports.sources.folder_reading import files_below


class FolderFiles:
    """`part` is where a file is written until it is whole, on the same disk."""

    def __init__(self, folder: Path, part: Path) -> None:
        self._folder, self._part = folder, part

    def has(self, path: str, entry: Entry) -> bool:
        """By size and time: a file that was written anew since has another time."""
        return same_file(self._at(path), entry.size, entry.modified_ms)

    def put(self, path: str, entry: Entry, folder: ArtifactFolder) -> None:
        """Raises `Refused` for a name that can't be there."""
        try:
            place = self._at(path)
            with self._part.open("wb") as file:
                for chunk in folder.open(ArtifactPath.parse(path)):
                    file.write(chunk)
            set_time(self._part, entry.modified_ms)
            place.parent.mkdir(parents=True, exist_ok=True)
            self._part.replace(place)
        except (FileExistsError, NotADirectoryError, IsADirectoryError, FileNotFoundError) as error:
            raise Refused(f"something else is in the way ({error.strerror})") from error

    def sizes(self) -> Mapping[str, int]:
        """By path."""
        return {path: found.stat().st_size for path, found in files_below(self._folder)}

    def read(self, path: str) -> Iterator[bytes]:
        """In chunks."""
        with self._at(path).open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk

    def _at(self, path: str) -> Path:
        try:
            return path_of(self._folder, path)
        except (Unwritable, DomainError) as error:
            raise Refused(str(error)) from error
