"""Groups of processes that the kernel bounds together: memory, cores, number. Of both versions, where we may."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from apps.runtime.limits import Limits
from apps.runtime.process.identity import is_gone, this_process

ROOT = Path("/sys/fs/cgroup")
CONTROLLERS = ("memory", "cpu", "pids")
_PREFIX = "slipway-run-"
_MIB = 1024 * 1024
_PERIOD_US = 100_000
_PATIENCE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Cgroups:
    """Below which folder a group for each controller can be made; version 2 has the same one for all."""

    version: int = 0
    folders: tuple[tuple[str, Path], ...] = ()

    @property
    def can_limit(self) -> frozenset[str]:
        """Of `memory`, `cpu` and `pids` those that can be bounded here."""
        return frozenset(name for name, _ in self.folders)

    def group(self, limits: Limits) -> Group:
        """A new group that holds what joins it to the limits."""
        name = _new_name()
        made: dict[str, Path] = {}
        group = Group(made, self.version)
        try:
            for controller, values in _values(limits, self.version).items():
                parent = dict(self.folders).get(controller)
                if parent is not None:
                    made[controller] = parent / name
                    _make(parent / name, values)
        except OSError:
            group.close()
            raise
        return group

    def clean(self) -> int:
        """Remove groups that workers left who died; one that has processes stays. How many went."""
        count = 0
        for parent in {folder for _, folder in self.folders}:
            for left in parent.glob(f"{_PREFIX}*"):
                if is_gone(left.name.removeprefix(_PREFIX).partition("-")[0]):
                    with suppress(OSError):
                        left.rmdir()
                        count += 1
        return count


@dataclass(frozen=True, slots=True)
class Group:
    """A group by controller."""

    folders: Mapping[str, Path]
    version: int

    @property
    def places(self) -> tuple[Path, ...]:
        """What a process joins."""
        return tuple(dict.fromkeys(self.folders.values()))

    def was_out_of_memory(self) -> bool:
        """Whether the kernel killed something of it because of its limit."""
        file = "memory.oom_control" if self.version == 1 else "memory.events"
        return self._count("memory", file, "oom_kill") > 0

    def was_full(self) -> bool:
        """Whether it had as many processes as it may."""
        return self._count("pids", "pids.events", "max") > 0

    def close(self) -> None:
        """Remove it; whoever was in it has ended, or does in a moment."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        for place in self.places:
            while place.exists():
                try:
                    place.rmdir()
                except OSError:
                    if time.monotonic() > deadline:
                        break
                    time.sleep(0.02)

    def _count(self, controller: str, file: str, key: str) -> int:
        if controller not in self.folders:
            return 0
        with suppress(OSError, ValueError):
            for line in (self.folders[controller] / file).read_text().splitlines():
                name, _, value = line.partition(" ")
                if name == key:
                    return int(value)
        return 0


def find_cgroups(named: Path | None = None) -> Cgroups:
    """What this process may make groups in: below `named` (version 2), else where it itself is."""
    if named is not None or (ROOT / "cgroup.controllers").exists():
        return _second(named or ROOT / _own().get("", "").lstrip("/"))
    found = []
    for controller in CONTROLLERS:
        base = ROOT / controller
        own = base / _own().get(controller, "").lstrip("/")
        parent = own if own.is_dir() else base
        if base.is_dir() and _may_make(parent):
            found.append((controller, parent))
    return Cgroups(1, tuple(found)) if found else Cgroups()


def _second(base: Path) -> Cgroups:
    """Only controllers that are handed on already: who hands them on may have no processes of its own."""
    try:
        handed = (base / "cgroup.subtree_control").read_text().split()
    except OSError:
        return Cgroups()
    if not _may_make(base):
        return Cgroups()
    return Cgroups(2, tuple((name, base) for name in CONTROLLERS if name in handed))


def _own() -> dict[str, str]:
    """This process's groups by controller; version 2's has the empty name."""
    found: dict[str, str] = {}
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, names, path = line.split(":", 2)
            found |= dict.fromkeys(names.split(","), path)
    return found


def _new_name() -> str:
    return f"{_PREFIX}{this_process()}-{token_hex(8)}"


def _may_make(parent: Path) -> bool:
    if not os.access(parent, os.W_OK):
        return False
    probe = parent / _new_name()
    try:
        probe.mkdir()
        probe.rmdir()
    except OSError:
        return False
    return True


def _values(limits: Limits, version: int) -> dict[str, list[tuple[str, str]]]:
    return {
        "memory": list(_memory(limits.memory_mb, version)),
        "cpu": list(_cpu(limits.cpus, version)),
        "pids": [("pids.max", str(limits.processes) if limits.processes else "max")],
    }


def _memory(megabytes: int | None, version: int) -> Iterator[tuple[str, str]]:
    if megabytes is None:
        return
    amount = str(megabytes * _MIB)
    if version == 1:
        yield "memory.limit_in_bytes", amount
        yield "?memory.memsw.limit_in_bytes", amount
    else:
        yield "memory.max", amount
        yield "?memory.swap.max", "0"
        # All of it or nothing: a run without one of its processes is a riddle.
        yield "?memory.oom.group", "1"


def _cpu(cpus: float | None, version: int) -> Iterator[tuple[str, str]]:
    if cpus is None:
        return
    quota = max(1_000, int(cpus * _PERIOD_US))
    if version == 1:
        yield "cpu.cfs_period_us", str(_PERIOD_US)
        yield "cpu.cfs_quota_us", str(quota)
    else:
        yield "cpu.max", f"{quota} {_PERIOD_US}"


def _make(folder: Path, values: list[tuple[str, str]]) -> None:
    """A name that begins with `?` is of what some kernels don't have."""
    folder.mkdir(exist_ok=True)
    for name, value in values:
        if not name.startswith("?"):
            (folder / name).write_text(value)
        elif (place := folder / name[1:]).exists():
            with suppress(OSError):
                place.write_text(value)
