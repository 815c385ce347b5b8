"""The backend: a shell command under a guardian, in a sandbox or without one, held to its limits."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath

from apps.core.errors import Unavailable
from apps.runtime.base import Work
from apps.runtime.limits import Limits
from apps.runtime.process.cgroups import Cgroups, Group
from apps.runtime.process.child import Child, Wanted
from apps.runtime.process.closing import Closed
from apps.runtime.process.forwarding import Forward, forwarded
from apps.runtime.process.sandbox import WORK, WRAPPERS, Sandbox, all_seen

_MIB = 1024 * 1024
_FILES_OPEN = 65_536
_NO_CGROUPS = Cgroups()
_NONE_CLOSED = Closed()
_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


class Level(StrEnum):
    """How far a command is kept apart, in the words that pages show."""

    SANDBOXED = "sandboxed"
    PROCESS = "separate process"


@dataclass(frozen=True, slots=True)
class Host:
    """What this host has for it. `bwrap` None: no sandbox. `options` are those that its bwrap knows."""

    bwrap: Path | None = None
    options: tuple[str, ...] = ()
    cgroups: Cgroups = _NO_CGROUPS
    # Folders of the operator's that sandboxed commands may read.
    readable: tuple[Path, ...] = ()
    # Single files that they see elsewhere, by that place.
    placed: Mapping[PurePosixPath, Path] = field(default_factory=dict)
    closed: Closed = _NONE_CLOSED


@dataclass(frozen=True, slots=True)
class Processes:
    """Commands in a run's folder, `room`, with what they may read and write besides.

    `forward` is where they may call although they have no network.
    """

    host: Host
    room: Path
    readable: tuple[Path, ...] = ()
    writable: tuple[Path, ...] = ()
    forward: Forward | None = None

    @property
    def level(self) -> Level:
        """How far they are kept apart."""
        return Level.SANDBOXED if self.host.bwrap else Level.PROCESS

    @property
    def work(self) -> Path:
        """The folder that is the command's own, here."""
        return self.room / "work"

    def shown(self, place: Path) -> PurePosixPath:
        """Where a file of the run's folder is for the command."""
        return WORK / place.relative_to(self.work) if self.host.bwrap else PurePosixPath(place)

    def start(self, work: Work) -> Running:
        """Start it. Raises `Unavailable` where this host can't."""
        with ExitStack() as stack:
            group = self.group(work.limits)
            stack.callback(group.close)
            child = Child(self.wanted(work, group, stack))
            stack.callback(child.close)
            return Running(child, group, work.limits, str(self.level), self.unenforced(work.limits), stack.pop_all())

    def wanted(self, work: Work, group: Group, stack: ExitStack) -> Wanted:
        """The program that it comes down to, in a group. What it needs as long as it runs is given to the stack."""
        return self._sandboxed(work, group, stack) if self.host.bwrap else self._plain(work, group)

    def group(self, limits: Limits) -> Group:
        """A new group of the kernel's. Raises `Unavailable` where this host can't make one."""
        try:
            return self.host.cgroups.group(limits)
        except OSError as error:
            raise Unavailable(f"The limits can't be set on this host: {error.strerror}.") from error

    def _sandboxed(self, work: Work, group: Group, stack: ExitStack) -> Wanted:
        has_network = work.limits.network
        bridge = None if has_network or self.forward is None else stack.enter_context(forwarded(self.forward))
        sandbox = Sandbox(
            self.host.bwrap or Path(),
            self.room,
            all_seen((*self.readable, *self.host.readable)),
            self.writable,
            {**self.host.placed, **(bridge.placed if bridge else {})},
            has_network,
            work.gpus,
            bridge.hosts if bridge else {},
            self.host.options,
        )
        sandbox.prepare()
        first = bridge.before if bridge else ()
        own = {"HOME": str(WORK), "TMPDIR": "/tmp", "PATH": _SYSTEM_PATH}  # noqa: S108
        return Wanted(
            argv=(str(sandbox.bwrap), *first, "/bin/bash", "-c", work.command),
            folder=Path("/"),
            variables={},
            arguments=sandbox.arguments(work.folder, _with_path(own, work.variables)),
            wrappers=WRAPPERS,
            limits=self._rlimits(work.limits),
            groups=group.places,
            memory=self._watched_memory(work.limits),
            closed=self.host.closed.descriptor,
            receipt=work.receipt,
        )

    def _plain(self, work: Work, group: Group) -> Wanted:
        for name in ("work", "tmp"):
            (self.room / name).mkdir(mode=0o700, exist_ok=True)
        own = {"HOME": str(self.work), "TMPDIR": str(self.room / "tmp"), "PATH": _SYSTEM_PATH}
        return Wanted(
            argv=("/bin/bash", "-c", work.command),
            folder=work.folder,
            variables=_with_path(own, work.variables),
            limits=self._rlimits(work.limits),
            groups=group.places,
            memory=self._watched_memory(work.limits),
            closed=self.host.closed.descriptor,
            receipt=work.receipt,
        )

    def _rlimits(self, limits: Limits) -> dict[str, int]:
        found = {"RLIMIT_CORE": 0, "RLIMIT_NOFILE": _FILES_OPEN}
        if limits.file_mb is not None:
            found["RLIMIT_FSIZE"] = limits.file_mb * _MIB
        if limits.processes and "pids" not in self.host.cgroups.can_limit and os.getuid():
            found["RLIMIT_NPROC"] = _mine() + limits.processes
        return found

    def _watched_memory(self, limits: Limits) -> int | None:
        is_bounded = limits.memory_mb is None or "memory" in self.host.cgroups.can_limit
        return None if is_bounded else (limits.memory_mb or 0) * _MIB

    def unenforced(self, limits: Limits, who: str = "a run") -> tuple[str, ...]:
        """Limits that nobody holds a command to here, in sentences; `who` is what the command is."""
        # What is not asked for can't be missed: no number, and a network that may be used.
        said = dict(unenforced(self.host, who))
        return tuple(sentence for name, sentence in said.items() if not _is_free(getattr(limits, name)))


def _is_free(value: object) -> bool:
    return value is None or value is True


def _with_path(own: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The given, over what a command needs anyway."""
    return {**own, "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1", **given}


def _mine() -> int:
    """How many processes this user has now."""
    count = 0
    for place in Path("/proc").iterdir():
        try:
            count += place.name.isdigit() and place.stat().st_uid == os.getuid()
        except OSError:
            continue
    return count


def unenforced(host: Host, who: str = "a run") -> Iterator[tuple[str, str]]:
    """Limits that this host can't hold commands to, by field, in sentences."""
    can = host.cgroups.can_limit
    if "cpu" not in can:
        yield "cpus", "cpus: not limited; this host's cgroups may not be changed."
    if "memory" not in can:
        yield "memory_mb", f"memory: looked at twice a second, and {who} above it is killed; short peaks pass."
    if "pids" not in can:
        said = "bounded together with all else of the worker's user" if os.getuid() else "not limited"
        yield "processes", f"processes: {said}; this host's cgroups may not be changed."
    yield "disk_mb", f"disk: looked at every few seconds, and {who} above it is killed; short peaks pass."
    if host.bwrap is None:
        yield "network", "network: not cut off; this host has no sandbox."


@dataclass
class Running:
    """A command that was started. What it holds is given back by `close`."""

    child: Child
    group: Group
    limits: Limits
    isolation: str
    unenforced: tuple[str, ...]
    held: ExitStack
    tags: Mapping[str, str] = field(default_factory=dict)

    def output(self) -> Iterator[bytes]:
        """What it writes, until nobody can write any more."""
        return self.child.output()

    def wait(self, seconds: float | None = None) -> int | None:
        """Its code, negative for the signal that ended it; None where it goes on after so many seconds."""
        code = self.child.wait(seconds)
        if code is not None and self.isolation == Level.SANDBOXED and 128 < code < 128 + 65:
            # So bwrap hands on what a signal ended.
            return 128 - code
        return code

    def note(self) -> str:
        """Which limit it came to, as far as that can be told."""
        if self.child.said.get("memory") or self.group.was_out_of_memory():
            return f"The memory limit of {self.limits.memory_mb} MB was reached."
        if self.group.was_full():
            return f"The limit of {self.limits.processes} processes was reached."
        if self.child.said.get("lost"):
            return "Its guardian was killed, and it was ended."
        return ""

    def kill(self, grace_seconds: float) -> None:
        """End all of it; returns when nobody is left."""
        self.child.kill(grace_seconds)

    def close(self) -> None:
        """Leave nothing behind."""
        self.held.close()
