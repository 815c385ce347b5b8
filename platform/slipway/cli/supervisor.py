"""Keeps child processes running: restarts what ends, with back-off, and stops all in order. Knows nothing of Django."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

_LONGEST_WAIT = 30.0
_WELL_AFTER = 60.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass
class Part:
    """One process to keep running. `grace` is how long it gets, in seconds, between SIGTERM and SIGKILL."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    grace: float = 10
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0
    wait: float = 0.5
    due_at: float = 0
    failures: int = field(default=0)

    def start(self) -> None:
        """Start the process in a group of its own: Ctrl-C reaches the supervisor alone, which stops all in order."""
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            env=dict(self.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )

    def stop(self) -> None:
        """SIGTERM, then after `grace` SIGKILL to the whole group."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(self.grace)
        except subprocess.TimeoutExpired:
            pass
        _kill_group(self.process.pid)
        self.process.wait()

    def look(self, say: Callable[[str], None]) -> None:
        """Start it again if it ended and its time has come."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            code = self.process.returncode
            _kill_group(self.process.pid)
            self.process = None
            self.wait = 0.5 if now - self.started_at > _WELL_AFTER else min(self.wait * 2, _LONGEST_WAIT)
            self.due_at = now + self.wait
            self.failures += 1
            say(f"the {self.name} ended with {code}; it is started again in {self.wait:.0f} s")
        if self.process is None and now >= self.due_at:
            self.start()


class Supervisor:
    """Runs parts in the order given, and stops them in the reverse."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.parts: list[Part] = []
        self.stopping = False
        self._say = say
        self._wake = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)
        signal.signal(signal.SIGCHLD, lambda *_: self._wake.set())

    def add(self, part: Part) -> None:
        """Start a part and keep it running."""
        self.parts.append(part)
        part.start()

    def run(self) -> None:
        """Until asked to stop."""
        while not self.stopping:
            waits = [part.due_at - time.monotonic() for part in self.parts if part.process is None]
            self.pause(max(0.05, min(waits)) if waits else None)
            for part in self.parts:
                if not self.stopping:
                    part.look(self._say)

    def pause(self, seconds: float | None) -> None:
        """Wait, at most until a child ends or somebody asks to stop."""
        self._wake.wait(seconds)
        self._wake.clear()

    def stop(self) -> None:
        """End all parts, the last started first."""
        self.stopping = True
        for part in reversed(self.parts):
            part.stop()

    def _asked_to_stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True
        self._wake.set()


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def _die_with_parent() -> None:
    """On Linux the kernel ends the child when we are killed, whatever way."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
