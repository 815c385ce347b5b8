"""Starts one command and outlives it: when this has ended, nobody is left that the command started.

A program of its own, with little of the standard library: each run waits for it to start. It is called as
`python -I -S guardian.py STATUS_FD`, and reads one message from its standard input (`Wanted.to_bytes` of
`process.child`) and then single bytes: end it, with a grace of so many tenths of a second. The end of that
input means that the worker died. What came of the command is written to STATUS_FD, marshalled.

It is two processes, each of which ends what is left when the other was killed; both adopt orphans, so neither a new
session nor a double fork gets away.
"""

# ruff: noqa: PTH100, PTH104, PTH120, PTH123
# pathlib alone would take as long to load as all the rest.

from __future__ import annotations

import marshal
import os
import select
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from apps.runtime.process.becoming import SUBREAPER, message, prctl, started, to_null
    from apps.runtime.process.tree import LOOK_SECONDS, end_all, memory, reap_any
else:
    # Beside this file, without the packages that it lies in: they would load all of the worker.
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from becoming import SUBREAPER, message, prctl, started, to_null
    from tree import LOOK_SECONDS, end_all, memory, reap_any

# What is left when the command has ended of itself, or the worker has died, is given so many seconds to end.
LEFT_SECONDS = 2.0
# When the worker has died, a command that is about to end may do so: what it has done need not be done again.
# Nobody else begins before the worker's lease is over, which takes several times as long.
ENDING_SECONDS = 1.0
# How often the memory of all processes together is looked at, where no cgroup does it.
MEMORY_SECONDS = 0.5


def main(status: int) -> int:
    """Start, follow and end the command; 0 where what came of it was written."""
    prctl(SUBREAPER, 1)
    wanted: dict[str, Any] = marshal.loads(message())  # noqa: S302
    ours, theirs = os.pipe()
    keeper = os.fork()
    if not keeper:
        os.close(theirs)
        prctl(SUBREAPER, 1)
        Keeper(wanted, status, ours).keep()
        os._exit(0)
    os.close(ours)
    for number in (0, 1, 2):
        to_null(number)
    return _second(keeper, wanted, status)


def _second(keeper: int, wanted: dict[str, Any], status: int) -> int:
    """Wait for the keeper, and where it was killed do what it would have done."""
    while True:
        pid, code = os.wait()
        if pid == keeper:
            break
    if code == 0:
        return 0
    end_all(wanted, 0.0, reap_any)
    _write(status, {"code": -signal.SIGKILL, "lost": True})
    return 1


class Keeper:
    """The process that starts the command and waits for what happens first."""

    def __init__(self, wanted: dict[str, Any], status: int, parent: int) -> None:
        self._wanted, self._status, self._parent = wanted, status, parent
        self._wake, wake = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(self._wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._code: int | None = None
        self._is_alone = False
        self._said: dict[str, Any] = {}

    def keep(self) -> None:
        """Until nobody is left."""
        self._child = started(self._wanted, [self._status])
        for number in (1, 2):
            to_null(number)
        grace = self._followed()
        if self._is_alone:
            self._let_end()
        ended_itself = self._code is not None
        end_all(self._wanted, grace, self._wait_a_little)
        if ended_itself:
            _leave_receipt(self._wanted["receipt"], self._code)
        _write(self._status, {"code": -signal.SIGKILL if self._code is None else self._code, **self._said})

    def _followed(self) -> float:
        """Wait for the first reason to end; how long those who are left are given."""
        watched = [0, self._parent, self._wake]
        most = self._wanted["memory"]
        while True:
            ready, _, _ = select.select(watched, [], [], MEMORY_SECONDS if most else None)
            if self._wake in ready:
                os.read(self._wake, 4096)
                self._reap()
            if self._code is not None:
                return LEFT_SECONDS
            if self._parent in ready:
                return 0.0
            if 0 in ready:
                return self._told()
            if most and memory() > most:
                self._said["memory"] = True
                return 0.0

    def _let_end(self) -> None:
        deadline = time.monotonic() + ENDING_SECONDS
        while self._code is None and (left := deadline - time.monotonic()) > 0:
            ready, _, _ = select.select([self._wake, self._parent], [], [], left)
            if self._parent in ready:
                return
            if ready:
                os.read(self._wake, 4096)
                self._reap()

    def _told(self) -> float:
        said = os.read(0, 1)
        self._is_alone = not said
        return said[0] / 10 if said else LEFT_SECONDS

    def _wait_a_little(self) -> float | None:
        """Reap who has ended; a new grace where the worker gave one meanwhile."""
        ready, _, _ = select.select([] if self._is_alone else [0], [], [], LOOK_SECONDS)
        self._reap()
        return self._told() if ready else None

    def _reap(self) -> None:
        while True:
            try:
                pid, code = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            if pid == self._child:
                self._code = os.waitstatus_to_exitcode(code)


def _leave_receipt(path: str, code: int | None) -> None:
    """For who comes after a worker that died before it could write down what it was told."""
    if path:
        try:
            with open(f"{path}.new", "w") as file:
                file.write(str(code))
            os.rename(f"{path}.new", path)
        except OSError:
            pass  # the worker is told anyway


def _write(status: int, said: dict[str, Any]) -> None:
    os.write(status, marshal.dumps(said))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
