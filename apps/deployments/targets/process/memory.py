"""How much memory instances take, by one look at the processes of this host."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
# Their places in /proc/<pid>/stat after the name.
_PARENT, _RESIDENT = 1, 21


def memory_of(keepers: Mapping[int, int]) -> Mapping[int, int]:
    """Bytes of all that each keeper's command consists of, by its instance. `keepers`: the id of its second process.

    What several processes have together, as workers a model, is counted once.
    """
    found = dict(_processes())
    children: dict[int, list[int]] = {}
    for pid, (parent, _) in found.items():
        children.setdefault(parent, []).append(pid)
    return {
        number: sum(_share(each, found[each][1]) for pid in children.get(second, ()) for each in _below(pid, children))
        for number, second in keepers.items()
    }


def _processes() -> Iterator[tuple[int, tuple[int, int]]]:
    """Each with its parent and the bytes that it has in memory."""
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdigit():
            with suppress(OSError, IndexError):
                fields = Path("/proc", name, "stat").read_text().rpartition(")")[2].split()
                yield int(name), (int(fields[_PARENT]), int(fields[_RESIDENT]) * _PAGE)


def _below(pid: int, children: Mapping[int, list[int]]) -> Iterator[int]:
    for child in children.get(pid, ()):
        yield child
        yield from _below(child, children)


def _share(pid: int, resident: int) -> int:
    with suppress(OSError, IndexError, ValueError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return resident
