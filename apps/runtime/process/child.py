"""The worker's end of a guardian: starting one, reading what its command writes, and having it ended."""

from __future__ import annotations

import marshal
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_GUARDIAN = Path(__file__).with_name("guardian.py")
_READ = 64 * 1024
# Beyond the grace; then the guardian itself is killed, and its second process ends what is left.
_PATIENCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A program by its whole path with its arguments, as the guardian starts it.

    `arguments` are bwrap's own, which go to it unseen. `wrappers`: how many processes of the sandbox stand above the
    command. `limits`: names of `resource` to numbers. `groups`: folders of cgroups to join. `memory`: bytes at which
    all of it is killed, looked at now and then.
    """

    argv: tuple[str, ...]
    folder: Path
    variables: Mapping[str, str]
    arguments: tuple[str, ...] = ()
    wrappers: int = 0
    limits: Mapping[str, int] = field(default_factory=dict)
    groups: tuple[Path, ...] = ()
    memory: int | None = None
    # An open set of Landlock's that the command is held to.
    closed: int | None = None
    # Where its code is left once it has ended of itself.
    receipt: Path | None = None

    def to_bytes(self) -> bytes:
        """As the guardian reads it: four bytes of length, then the values marshalled."""
        text = marshal.dumps(self.to_values())
        return len(text).to_bytes(4, "big") + text

    def to_values(self) -> dict[str, Any]:
        """The values alone."""
        return {
            "argv": list(self.argv),
            "folder": str(self.folder),
            "variables": dict(self.variables),
            "arguments": list(self.arguments),
            "wrappers": self.wrappers,
            "limits": dict(self.limits),
            "groups": [str(group) for group in self.groups],
            "memory": self.memory,
            "closed": self.closed,
            "receipt": str(self.receipt or ""),
        }


class Child:
    """A command under a guardian. `kill` may be called by any thread, as often as somebody likes."""

    def __init__(self, wanted: Wanted) -> None:
        self._status, status = os.pipe()
        try:
            self.guardian = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_GUARDIAN), str(status)],
                cwd="/",
                # Nothing of what the run is given: it could change how the guardian itself runs.
                env={},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(status,) if wanted.closed is None else (status, wanted.closed),
                start_new_session=True,
                bufsize=0,
            )
        except BaseException:
            os.close(self._status)
            raise
        finally:
            os.close(status)
        self._lock = threading.Lock()
        self._said: dict[str, Any] | None = None
        self._tell(wanted.to_bytes())

    @property
    def said(self) -> Mapping[str, Any]:
        """What the guardian wrote when it had ended; empty until then."""
        return self._said or {}

    def output(self) -> Iterator[bytes]:
        """What is written, until nobody is left who could write."""
        assert self.guardian.stdout is not None  # noqa: S101
        out = self.guardian.stdout.fileno()
        while data := os.read(out, _READ):
            yield data

    def wait(self, seconds: float | None = None) -> int | None:
        """The command's code, negative for a signal, when nobody is left; None where that takes longer."""
        deadline = None if seconds is None else time.monotonic() + seconds
        with self._lock:
            if self._said is None:
                self._said = self._heard(deadline)
            return None if self._said is None else int(self._said["code"])

    def kill(self, grace_seconds: float) -> None:
        """End all of it, at once for no grace. Returns when nobody is left."""
        self._tell(bytes([min(255, int(grace_seconds * 10))]))
        if self.wait(grace_seconds + _PATIENCE_SECONDS) is None:
            self.guardian.kill()
            self.wait()

    def close(self) -> None:
        """End what is left, and give the pipes back."""
        if self._said is None:
            self.kill(0)
        for pipe in (self.guardian.stdin, self.guardian.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        if self._status >= 0:
            os.close(self._status)
            self._status = -1

    def _heard(self, deadline: float | None) -> dict[str, Any] | None:
        """The last words of the guardian's two processes. None where they aren't said yet."""
        poll = select.poll()
        poll.register(self._status, select.POLLIN | select.POLLHUP)
        left = None if deadline is None else max(0, deadline - time.monotonic()) * 1000
        if not poll.poll(left):
            return None
        text = b""
        # Both have it open: its end means that both are gone.
        while data := os.read(self._status, _READ):
            text += data
        self.guardian.wait()
        said: dict[str, Any] = marshal.loads(text) if text else {"code": -signal.SIGKILL, "lost": True}  # noqa: S302
        return said

    def _tell(self, text: bytes) -> None:
        assert self.guardian.stdin is not None  # noqa: S101
        with suppress(OSError, ValueError):
            self.guardian.stdin.write(text)
