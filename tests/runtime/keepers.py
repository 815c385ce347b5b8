"""Keepers of commands that are made for a test, in a folder short enough for sockets."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from apps.runtime.abilities import sandbox_here
from apps.runtime.base import Work
from apps.runtime.limits import Limits
from apps.runtime.process import Host, Processes
from apps.runtime.process.keeping import Born, Ended, Kept, born_in, end, ended_in, heartbeat, is_kept, start
from apps.runtime.process.logbook import read_log
from tests.waiting import until

LEVELS = ("sandboxed", "process")
_FREE = Limits()


def host_of(level: str) -> Host:
    """With the sandbox or without it."""
    bwrap, options, why = sandbox_here()
    if level == "sandboxed" and bwrap is None:
        pytest.skip(f"no sandbox: {why}")
    return Host(bwrap, options) if level == "sandboxed" else Host()


@dataclass
class Room:
    """The folder of one keeper. `more` are fields of `Kept`."""

    folder: Path
    host: Host = field(default_factory=Host)

    def kept(self, command: str, limits: Limits = _FREE, **more: Any) -> Kept:
        """What a keeper is told."""
        room = self.folder / "room"
        room.mkdir(parents=True, exist_ok=True)
        mark = f"KEPT={os.urandom(8).hex()}"
        processes = Processes(self.host, room)
        group = processes.group(limits)
        name, value = mark.split("=")
        work = Work(command, processes.work, {name: value}, limits)
        wanted = processes.wanted(work, group, ExitStack())
        heartbeat(self.folder / "heartbeat")
        sockets = self.folder / "control", self.folder / "http"
        kept = Kept(wanted, self.folder, *sockets, self.folder / "heartbeat", mark=mark)
        return replace(kept, **more)

    def start(self, command: str, limits: Limits = _FREE, **more: Any) -> Born:
        """Keep a line of bash."""
        return start(self.kept(command, limits, **more))

    def end(self, grace_s: float = 0) -> None:
        end(self.folder, self.folder / "control", grace_s)

    def ended(self) -> Ended:
        """What came of it, once nobody is left."""
        until(lambda: not is_kept(self.folder))
        found = ended_in(self.folder)
        assert found is not None
        return found

    def log(self) -> str:
        return read_log(self.folder, 0, 1_000_000)[1].decode()

    def says(self, text: str) -> None:
        """Wait until it has written something."""
        until(lambda: text in self.log())

    @property
    def born(self) -> Born:
        found = born_in(self.folder)
        assert found is not None
        return found


def children_of(pid: int) -> list[int]:
    """Its children now."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
