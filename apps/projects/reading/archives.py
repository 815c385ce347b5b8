"""Zip files of projects: made here and taken from others, who may be hostile."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from apps.core.errors import InvalidInput
from apps.core.paths import ArtifactPath
from apps.runtime.folders import LEFT_OUT

_CHUNK = 1024 * 1024
# The list of files at the end of a zip is read in one piece: 20,000 names of 150 bytes fit.
_MAX_DIRECTORY = 4 * 1024 * 1024
# Others are rare, and lzma takes as much memory as an archive asks for.
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# What the reader of zip files raises for broken ones. RuntimeError: encrypted.
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OverflowError, struct.error)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a project's archive may hold, in files and in bytes when unpacked."""

    files: int = 20_000
    bytes: int = 2 * 1024**3


def pack(folder: Path, into: Path, limits: Limits = Limits()) -> int:
    """Write the files of a folder as a zip; how many there are. Links are left out, as are caches and `.git`.

    The same files make the same archive: names in order, no times.
    """
    count = size = 0
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in _files(folder):
            count, size = count + 1, size + path.stat().st_size
            if count > limits.files or size > limits.bytes:
                raise InvalidInput(
                    f"The project is too large to send: at most {limits.files} files and {limits.bytes:,} bytes."
                )
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix())
            info.external_attr = (0o755 if path.stat().st_mode & 0o100 else 0o644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            with path.open("rb") as source, archive.open(info, "w") as target:
                pour(source, target.write, limits.bytes)
    return count


def unpack(source: Path | IO[bytes], into: Path, limits: Limits = Limits()) -> None:
    """Write the files of a zip below `into`, which exists and is empty. Raises `InvalidInput` that names the file.

    Sizes are counted as bytes come out, whatever the archive says of itself.
    """
    with opened(source, limits) as archive:
        left = limits.bytes
        for entry in archive.infolist():
            left -= _unpack_one(archive, entry, into, left)


@contextmanager
def opened(source: Path | IO[bytes], limits: Limits) -> Iterator[zipfile.ZipFile]:
    """A zip whose number and declared size of files are within the limits. Broken ones raise `InvalidInput`."""
    with ExitStack() as stack:
        file = stack.enter_context(source.open("rb")) if isinstance(source, Path) else source
        try:
            archive = stack.enter_context(zipfile.ZipFile(_BoundedReads(file)))
            entries = archive.infolist()
            if len(entries) > limits.files:
                raise _too_many(limits)
            if sum(entry.file_size for entry in entries) > limits.bytes:
                raise _too_large()
            yield archive
        except _BROKEN as error:
            raise InvalidInput("The archive can't be read: it is no zip file, or a broken or encrypted one.") from error


def place_of(entry: zipfile.ZipInfo) -> ArtifactPath:
    """Where an entry of an archive goes. Raises `InvalidInput` for bad names, links, devices and rare compressions."""
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise InvalidInput(f"The archive holds a link or a special file: '{entry.filename[:200]}'.")
    if entry.compress_type not in _COMPRESSIONS:
        raise InvalidInput(f"'{entry.filename[:200]}' is compressed in a way that is not taken here; use deflate.")
    try:
        return ArtifactPath.parse(entry.filename.rstrip("/"))
    except InvalidInput:
        raise InvalidInput(f"The archive holds a file with a bad name: '{entry.filename[:200]}'.") from None


def pour(source: IO[bytes], write: Callable[[bytes], object], at_most: int) -> int:
    """Hand all bytes on, piece by piece; how many there were. Raises `InvalidInput` where they are too many."""
    size = 0
    while chunk := source.read(_CHUNK):
        size += len(chunk)
        if size > at_most:
            raise _too_large()
        write(chunk)
    return size


def twice(entry: zipfile.ZipInfo) -> InvalidInput:
    """The refusal of a name that stands for two files, or for a file and a folder."""
    return InvalidInput(f"The archive holds '{entry.filename[:200]}' twice.")


class _BoundedReads:
    """A file that gives nothing in very large pieces: a list of a million files would fill the memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1, /) -> bytes:
        if size > _MAX_DIRECTORY:
            raise InvalidInput("The archive holds too many files.")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        if whence == 0 and offset < 0:
            raise zipfile.BadZipFile
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or path.name in LEFT_OUT:
            continue
        if path.is_dir():
            yield from _files(path)
        elif path.is_file():
            yield path


def _unpack_one(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, into: Path, left: int) -> int:
    """The bytes that came out."""
    target = into.joinpath(*place_of(entry).segments)
    try:
        if entry.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            return 0
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(entry) as content, target.open("xb") as file:
            size = pour(content, file.write, left)
    except (FileExistsError, NotADirectoryError):
        raise twice(entry) from None
    if entry.external_attr >> 16 & 0o100:
        target.chmod(0o700)
    return size


def _too_many(limits: Limits) -> InvalidInput:
    return InvalidInput(f"The archive holds more than {limits.files} files.")


def _too_large() -> InvalidInput:
    return InvalidInput("The archive is too large when it is unpacked.")
