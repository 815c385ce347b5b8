"""Keeps one long command going when whoever started it is gone, until somebody who knows its folder ends it.

A program of its own, with the standard library alone: `python -I -S keeper.py`. It reads one message from its standard
input (`Kept.to_bytes` of `process.keeping`), leaves its starter by a double fork, and says one line: `up PID START
ADDRESS`, or `no REASON`. Then only its folder leads to it:

    lock         held while it or its second process lives: whoever can take it knows that they don't
    born         that same line; what has it was started, and is not started again
    control      a socket for its own user: `end SECONDS`
    http         the command's socket, which it is given open, as file `LISTENING`: its folder it never sees
    log/         what the command wrote, see `journal`
    ended.json   what came of it
    left.json    by what all that it started is found where both of its processes were killed

It is two processes, each of which ends what is left when the other was killed; both adopt orphans.
"""

# ruff: noqa: PTH100, PTH120
# pathlib alone would take as long to load as all the rest.

from __future__ import annotations

import marshal
import os
import select
import signal
import socket
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from apps.runtime.process.becoming import SUBREAPER, message, prctl, started, to_null
    from apps.runtime.process.journal import Journal
    from apps.runtime.process.keeper_folder import (
        children_of,
        leave,
        listening_at,
        say,
        socket_at,
        start_of,
        take_lock,
        user_of,
        write_whole,
    )
    from apps.runtime.process.tree import end_all, reap_any
    from apps.runtime.process.watching import Watch
else:
    # Beside this file, without the packages that it lies in: they would load all of the supervisor.
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from becoming import SUBREAPER, message, prctl, started, to_null
    from journal import Journal
    from keeper_folder import (
        children_of,
        leave,
        listening_at,
        say,
        socket_at,
        start_of,
        take_lock,
        user_of,
        write_whole,
    )
    from tree import end_all, reap_any
    from watching import Watch

# The number by which the command has its socket.
LISTENING = 200
_READ = 64 * 1024
# Whoever connects to the control socket says what they want at once.
_PATIENCE_SECONDS = 1.0
# What is left when the command has ended of itself is given so many seconds to end.
_LEFT_SECONDS = 2.0
_ENDING_SECONDS = 0.1
# As bwrap hands on what a signal ended.
_SIGNALLED = range(129, 193)


def main() -> int:
    """Leave whoever started this, and keep the command until nobody of it is left."""
    wanted: dict[str, Any] = marshal.loads(message())  # noqa: S302
    os.setsid()
    if os.fork():
        return 0
    prctl(SUBREAPER, 1)
    os.umask(0o077)
    os.chdir(wanted["room"])
    for number in wanted["held"]:
        os.set_inheritable(_not_theirs(number), False)
    if wanted["closed"] is not None:
        wanted["closed"] = _not_theirs(wanted["closed"])
    try:
        take_lock()
        listening, address = listening_at(wanted["listen"])
        control = socket_at(wanted["control"])
    except OSError as error:
        say(f"no {error.strerror or error}")
        return 1
    return _both(wanted, listening, control, address)


def _not_theirs(number: int) -> int:
    """The same open file under another number than that of the command's socket."""
    if number != LISTENING:
        return number
    other = os.dup(number)
    os.close(number)
    return other


def _both(wanted: dict[str, Any], listening: socket.socket, control: socket.socket, address: str) -> int:
    """Become the two processes."""
    ours, theirs = os.pipe()
    started_at = start_of(os.getpid())
    keeper = os.fork()
    if not keeper:
        os.close(theirs)
        prctl(SUBREAPER, 1)
        Keeper(wanted, listening, control, ours).keep(f"up {os.getppid()} {started_at} {address}")
        os._exit(0)
    os.close(ours)
    listening.close()
    control.close()
    for number in (0, 1, 2):
        to_null(number)
    while True:
        pid, code = os.wait()
        if pid == keeper:
            break
    if code:
        end_all(wanted, 0.0, reap_any)
        leave(wanted, {"code": -signal.SIGKILL, "lost": True})
    return 0


class Keeper:
    """The process that starts the command, takes what it writes, and waits for what happens first."""

    def __init__(self, wanted: dict[str, Any], listening: socket.socket, control: socket.socket, second: int) -> None:
        self._wanted, self._listening, self._control, self._second = wanted, listening, control, second
        self._journal = Journal("log", wanted["log_bytes"])
        self._wake, wake = os.pipe()
        for number in (wake, self._wake):
            os.set_blocking(number, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        # None of theirs ends it: it is asked through its socket.
        for each in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        self._code: int | None = None
        self._said: dict[str, Any] = {}
        # When those who were asked to end are killed; None: nobody was asked.
        self._deadline: float | None = None
        self._watch = Watch(wanted)

    def keep(self, born: str) -> None:
        """Until nobody is left."""
        write_whole("born", born)
        self._output = self._start()
        say(born)
        for number in (0, 1, 2):
            to_null(number)
        self._follow()
        self._end()
        self._drain()
        code = -signal.SIGKILL if self._code is None else self._code
        if self._wanted["wrappers"] and code in _SIGNALLED:
            code = 128 - code
        leave(self._wanted, {"code": code, **self._said})

    def _start(self) -> int:
        """Start the command; what it writes is read from there."""
        output, written = os.pipe()
        keep = os.dup(1), os.dup(2)
        os.dup2(written, 1)
        os.dup2(written, 2)
        os.dup2(self._listening.fileno(), LISTENING, inheritable=True)
        self._child = started(self._wanted, ())
        os.close(LISTENING)
        os.close(written)
        for number, copy in enumerate(keep, 1):
            os.dup2(copy, number)
            os.close(copy)
        # Only the command has it from here on: when that is gone, callers are refused at once.
        self._listening.close()
        if self._wanted["closed"] is not None:
            os.close(self._wanted["closed"])
        os.set_blocking(output, False)
        return output

    def _follow(self) -> None:
        """Return at the first reason to end."""
        while self._code is None and self._deadline is None:
            self._turn(self._watch.seconds)
            if self._deadline is None and (reason := self._watch.reason()):
                self._end_for(reason, self._wanted["grace"] if reason == "forgotten" else 0)

    def _end(self) -> None:
        """Ask the command alone: it knows best how to end its own. Who is left when it has ended, or doesn't, goes."""
        asked = False
        while self._code is None and time.monotonic() < (self._deadline or 0):
            asked = asked or self._ask()
            self._turn(_ENDING_SECONDS)
        end_all(self._wanted, 0.0 if self._code is None else _LEFT_SECONDS, lambda: self._turn(_ENDING_SECONDS))

    def _ask(self) -> bool:
        """Whether it was there to be asked: the sandbox's own processes may only just begin."""
        pid = self._child
        for _ in range(self._wanted["wrappers"]):
            below = children_of(pid)
            if not below:
                return False
            pid = below[0]
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            return False
        return True

    def _turn(self, seconds: float) -> None:
        """Wait for something, so long at most, and do it."""
        watched = [self._wake, self._second, self._control.fileno(), self._output]
        ready, _, _ = select.select([number for number in watched if number >= 0], [], [], seconds)
        if self._output in ready:
            self._take()
        if self._wake in ready:
            os.read(self._wake, 4096)
        if self._control.fileno() in ready:
            self._hear()
        if self._second in ready:
            self._second = -1
            self._end_for("lost", 0)
        self._reap()

    def _take(self) -> bool:
        """Keep what was written; whether there was something."""
        try:
            data = os.read(self._output, _READ)
        except BlockingIOError:
            return False
        if data:
            self._journal.write(data)
        else:
            os.close(self._output)
            self._output = -1
        return bool(data)

    def _drain(self) -> None:
        while self._output >= 0 and self._take():
            pass

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

    def _end_for(self, reason: str, grace: float) -> None:
        """The first reason is the one that is told; the shortest grace is the one that is given."""
        if not self._said and self._code is None:
            self._said[reason] = True
        deadline = time.monotonic() + grace
        self._deadline = deadline if self._deadline is None else min(deadline, self._deadline)

    def _hear(self) -> None:
        """Do what somebody of our own user wants."""
        try:
            caller, _ = self._control.accept()
        except OSError:
            return
        with caller:
            try:
                caller.settimeout(_PATIENCE_SECONDS)
                if user_of(caller) in (0, os.getuid()):
                    caller.sendall(self._answer(caller.recv(256).decode().split()))
            except (OSError, ValueError):
                return

    def _answer(self, words: list[str]) -> bytes:
        if words[:1] == ["end"]:
            self._end_for("asked", max(0.0, float(words[1])))
        return b"yes\n"


if __name__ == "__main__":
    sys.exit(main())
