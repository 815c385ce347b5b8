"""Following a run on a server: its log comes here, and how it ended."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from apps.projects.running.server import ENDED, Say, Server

_STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z ?")
_WAIT_SECONDS = 10.0
_KILLED = 130
_ENDED_WORDS = {"finished": "is finished", "failed": "failed", "cancelled": "was cancelled", "lost": "was lost"}


class Follower:
    """Writes the log of a run to `out`, each line once, however often the connection breaks.

    `say` hears in which state it is. `stamped`: with the time at the beginning of each line.
    """

    def __init__(self, server: Server, run_id: str, out: BinaryIO, say: Say, *, stamped: bool = False) -> None:
        self._server, self._run_id, self._out, self._say = server, run_id, out, say
        self._stamped = stamped
        self._offset = 0
        self._rest = b""
        self._state = "queued"

    def follow(self) -> dict[str, Any]:
        """Until the run has ended and all of its log is written; the run as it is then."""
        while not self._read(_WAIT_SECONDS):
            self._tell_state()
        self._finish()
        return self._server.run(self._run_id)

    def read_once(self) -> None:
        """What there is now, all of it."""
        while True:
            before = self._offset
            if self._read(0) or self._offset == before:
                break
        self._finish()

    def _read(self, wait: float) -> bool:
        """Whether that was the last of it."""
        for piece in self._server.log(self._run_id, self._offset, wait=wait):
            self._offset += len(piece.data)
            self._write(piece.data)
            if piece.has_ended:
                return True
        return False

    def _write(self, data: bytes) -> None:
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            self._out.write(self._plain(line) + b"\n")
        self._out.flush()

    def _finish(self) -> None:
        if self._rest:
            self._out.write(self._plain(self._rest))
            self._out.flush()
            self._rest = b""

    def _plain(self, line: bytes) -> bytes:
        return line if self._stamped else _STAMP.sub(b"", line, count=1)

    def _tell_state(self) -> None:
        run = self._server.run(self._run_id)
        if run["state"] != self._state and run["state"] not in ENDED:
            self._say(f"Run {self._run_id} is {run['state']}" + (f" on {run['worker']}." if run["worker"] else "."))
        self._state = run["state"]


def exit_code_of(run: dict[str, Any]) -> int:
    """What a shell is told of a run that has ended: its own code; 130 for one that was cancelled, else at least 1."""
    code = run["exit_code"]
    if run["state"] == "finished":
        return 0
    if run["state"] == "cancelled":
        return _KILLED
    return (128 - code if code < 0 else code) if code else 1


def told(run: dict[str, Any]) -> str:
    """How it ended, in a sentence."""
    said = f"Run {run['id']} {_ENDED_WORDS[run['state']]}"
    message: str = run["message"]
    if run["state"] == "cancelled" and message.startswith("Cancelled by "):
        return said + message.removeprefix("Cancelled")
    return said + (f": {message}" if message else ".")


def asks_to_cancel(run_id: str) -> bool:
    """What somebody at a terminal says; nobody there: no."""
    if not sys.stdin.isatty():
        return False
    sys.stderr.write(f"\nCancel run {run_id}? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def left_words(run_id: str) -> str:
    """How to go on with a run that was left to the server."""
    return f"Run {run_id} goes on. Follow it: slipway runs logs -f {run_id}   End it: slipway runs cancel {run_id}"


def follow_to_end(follower: Follower, ask: Callable[[], bool], cancel: Callable[[], None]) -> dict[str, Any] | None:
    """The run that has ended; None where somebody left it running by Ctrl-C.

    The first Ctrl-C asks whether to cancel: then it is cancelled and followed on. A second one leaves.
    """
    try:
        return follower.follow()
    except KeyboardInterrupt:
        pass
    try:
        if not ask():
            return None
        cancel()
        return follower.follow()
    except KeyboardInterrupt:
        return None
