"""Zip files of projects: made here and taken from others, who may be hostile."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from apps.core.errors import InvalidInput
from apps.core.paths import ArtifactPath

# What no run needs and nobody means to send.
_LEFT_OUT = frozenset(
    {".git", "__pycache__", ".venv", "venv", "mlruns", ".mypy_cache", ".pytest_cache", "node_modules"}
)
_CHUNK = 1024 * 1024


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
                _copy(source, target, limits.bytes)
    return count


def unpack(source: Path | IO[bytes], into: Path, limits: Limits = Limits()) -> None:
    """Write the files of a zip below `into`, which exists and is empty. Raises `InvalidInput` that names the file.

    Sizes are counted as bytes come out, whatever the archive says of itself.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            entries = archive.infolist()
            if len(entries) > limits.files:
                raise InvalidInput(f"The archive holds more than {limits.files} files.")
            left = limits.bytes
            for entry in entries:
                left -= _unpack_one(archive, entry, into, left)
    # RuntimeError: encrypted, or compressed in a way that is not known.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise InvalidInput("The archive can't be read: it is no zip file, or a broken or encrypted one.") from error


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or path.name in _LEFT_OUT:
            continue
        if path.is_dir():
            yield from _files(path)
        elif path.is_file():
            yield path


def _unpack_one(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, into: Path, left: int) -> int:
    """The bytes that came out."""
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise InvalidInput(f"The archive holds a link or a special file: '{entry.filename[:200]}'.")
    try:
        path = ArtifactPath.parse(entry.filename.rstrip("/"))
    except InvalidInput:
        raise InvalidInput(f"The archive holds a file with a bad name: '{entry.filename[:200]}'.") from None
    target = into.joinpath(*path.segments)
    if entry.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return 0
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(entry) as content, target.open("xb") as file:
            size = _copy(content, file, left)
    except (FileExistsError, NotADirectoryError):
        raise InvalidInput(f"The archive holds '{entry.filename[:200]}' twice.") from None
    if mode & 0o100:
        target.chmod(0o700)
    return size


def _copy(source: IO[bytes], target: IO[bytes], at_most: int) -> int:
    size = 0
    while chunk := source.read(_CHUNK):
        size += len(chunk)
        if size > at_most:
            raise InvalidInput("The archive is too large when it is unpacked.")
        target.write(chunk)
    return size
