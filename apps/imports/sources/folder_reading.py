"""Reading the files of a store in a folder: plain files and folders alone, no links; YAML without objects."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from apps.imports.sources.cells import number_of, text_of

META = "meta.yaml"
_MOST_META = 16_000_000
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class BrokenFile(ValueError):
    """A file that can't be what it should be; the message is for whoever imports."""


def folders_in(folder: Path) -> list[Path]:
    """The folders directly in a folder, by name; none where it is not there."""
    return sorted(Path(entry.path) for entry in _entries(folder) if entry.is_dir(follow_symlinks=False))


def files_below(folder: Path) -> Iterator[tuple[str, Path]]:
    """All files below, each with its path from there: keys with slashes lie in folders."""
    for entry in _entries(folder):
        if entry.is_dir(follow_symlinks=False):
            for key, path in files_below(Path(entry.path)):
                yield f"{entry.name}/{key}", path
        elif entry.is_file(follow_symlinks=False):
            yield entry.name, Path(entry.path)


def pairs_below(folder: Path) -> dict[str, str]:
    """Files as keys with values. Raises `BrokenFile`."""
    return {text_of(key): text_of(_text(path)) for key, path in files_below(folder)}


def meta_of(folder: Path) -> dict[str, Any]:
    """The scalars of a folder's `meta.yaml`, and its maps of scalars. Raises `BrokenFile`."""
    path = folder / META
    try:
        if path.is_symlink() or path.stat().st_size > _MOST_META:
            raise BrokenFile(f"{path} is no plain file of a usual size")
        with path.open("rb") as file:
            found = yaml.load(file, Loader=_SafeLoader)  # noqa: S506
    except FileNotFoundError as error:
        raise BrokenFile(f"there is no {path}") from error
    except (OSError, yaml.YAMLError, UnicodeError) as error:
        raise BrokenFile(f"{path} can't be read") from error
    if not isinstance(found, dict):
        raise BrokenFile(f"{path} holds nothing that is known")
    return {str(key): value for key, value in found.items() if _is_plain(value)}


def points_of(path: Path) -> list[tuple[int, int, float, bool]]:
    """A metric's history, each value once: lines of time, value, step, and perhaps a dataset. Raises `BrokenFile`."""
    points: dict[tuple[int, int, float, bool], None] = {}
    for line in _text(path).splitlines():
        parts = line.split()
        if not parts:
            continue
        try:
            step = int(parts[2]) if len(parts) > 2 else 0
            points[step, int(parts[0]), *number_of(parts[1])] = None
        except (ValueError, IndexError) as error:
            raise BrokenFile(f"{path} holds a line that is no value of a metric: {line[:80]!r}") from error
    return list(points)


def values_of_model(path: Path) -> Iterator[tuple[str, int, int, float, bool, str, str]]:
    """Lines of a logged model's metric: run id, step, time, value, whether NaN, and a dataset. Raises `BrokenFile`."""
    for line in _text(path).splitlines():
        try:
            timestamp, value, step, run_id, *dataset = line.split()
            name, digest = dataset if len(dataset) == 2 else ("", "")
            yield run_id, int(step), int(timestamp), *number_of(value), name, digest
        except ValueError as error:
            raise BrokenFile(f"{path} holds a line that is no value of a metric: {line[:80]!r}") from error


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise BrokenFile(f"{path} can't be read: {error.strerror}") from error


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise BrokenFile(f"{folder} can't be read: {error.strerror}") from error


def _is_plain(value: Any) -> bool:
    scalars = (str, int, float, type(None))
    return isinstance(value, scalars) or (
        isinstance(value, dict) and all(isinstance(inner, scalars) for inner in value.values())
    )
