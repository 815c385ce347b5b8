"""Writing the files of a store: keys are paths there, so what two keys can't share is said and left out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

_MOST_BYTES = 255
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

META = "meta.yaml"


class Unwritable(ValueError):
    """What a folder can't keep; the message says why."""


def write_meta(folder: Path, values: Mapping[str, Any]) -> None:
    """The file that says what a folder is. It replaces one that is there, whole."""
    folder.mkdir(parents=True, exist_ok=True)
    # In a width that no text is broken at: the older reader takes lines as they are.
    text = yaml.dump(dict(values), Dumper=_Dumper, allow_unicode=True, default_flow_style=False, width=1_000_000)
    part = folder / f".{META}.part"
    part.write_text(text, encoding="utf-8")
    part.replace(folder / META)


def write_pairs(folder: Path, pairs: Mapping[str, str], say: Callable[[str], None]) -> None:
    """A file for each key, in a folder that is made; `say` is told of keys that can't be files."""
    folder.mkdir(parents=True, exist_ok=True)
    for key, path in places(folder, pairs, say):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pairs[key].encode("utf-8", "replace"))


def places(folder: Path, keys: Mapping[str, Any], say: Callable[[str], None]) -> Iterator[tuple[str, Path]]:
    """For each key the path of its file; `say` is told of keys that can't have one."""
    taken = set(keys)
    for key in keys:
        try:
            yield key, path_of(folder, key, taken)
        except Unwritable as error:
            say(f"'{key[:80]}' {error}")


def path_of(folder: Path, key: str, taken: set[str] | frozenset[str] = frozenset()) -> Path:
    """The file of a key, below the folder. Raises `Unwritable`."""
    parts = key.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise Unwritable("can't be the name of a file")
    if any(len(part.encode("utf-8", "replace")) > _MOST_BYTES for part in parts):
        raise Unwritable("is too long for the name of a file")
    for end in range(1, len(parts)):
        if "/".join(parts[:end]) in taken:
            raise Unwritable(f"would be a file in '{'/'.join(parts[:end])[:80]}', which is a file itself")
    return folder.joinpath(*parts)


def put_in_place(staged: Path, place: Path, *, keeping: str = "") -> None:
    """Let a folder that is whole stand where it belongs. A folder named `keeping` in what it replaces is kept."""
    old = staged.with_name(f"{staged.name}.old")
    if place.exists():
        if keeping and (place / keeping).is_dir():
            (place / keeping).rename(staged / keeping)
        place.rename(old)
    place.parent.mkdir(parents=True, exist_ok=True)
    staged.rename(place)
    if old.exists():
        shutil.rmtree(old)


def empty(folder: Path) -> None:
    """A folder with nothing in it."""
    if folder.is_dir():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)


def same_file(path: Path, size: int, modified_ms: int) -> bool:
    """Whether a file is there that was copied from one of this size and time."""
    try:
        found = path.stat(follow_symlinks=False)
    except OSError:
        return False
    return found.st_size == size and found.st_mtime_ns // 1_000_000 == modified_ms


def set_time(path: Path, modified_ms: int) -> None:
    """So that the next export sees what was copied already."""
    os.utime(path, ns=(modified_ms * 1_000_000, modified_ms * 1_000_000))
