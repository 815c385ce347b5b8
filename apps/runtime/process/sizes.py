"""How much of the disk is taken below a folder. For the keeper too, which loads no more than it must."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def bytes_below(folder: str, enough: int | None = None) -> int:
    """What the files below a folder take; it stops counting above `enough`."""
    total = 0
    for size in _sizes(folder):
        total += size
        if enough is not None and total > enough:
            break
    return total


def _sizes(folder: str) -> Iterator[int]:
    todo = [folder]
    while todo:
        try:
            with os.scandir(todo.pop()) as entries:
                for entry in entries:
                    yield _size(entry, todo)
        except OSError:
            continue


def _size(entry: os.DirEntry[str], todo: list[str]) -> int:
    """Folders among them are put on the list of what is to do."""
    try:
        if entry.is_dir(follow_symlinks=False):
            todo.append(entry.path)
        return entry.stat(follow_symlinks=False).st_blocks * 512
    except OSError:
        return 0
