"""The server as a child: its log is ours, it ends with us, and when it answers we say so."""

from __future__ import annotations

import ctypes
import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from socket import socket
from typing import IO

from apps.core.errors import InvalidInput

Say = Callable[[str], None]
_LOOK_SECONDS = 0.05
# Beyond what the server itself grants what is in flight.
_MORE_SECONDS = 5
_PR_SET_PDEATHSIG = 1
_SAID = "[slipway] "
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Stop:
    """Whether somebody asked us to end, and how often."""

    def __init__(self) -> None:
        self.asked = 0

    def __bool__(self) -> bool:
        return self.asked > 0


@contextmanager
def stopping() -> Iterator[Stop]:
    """Take Ctrl-C and SIGTERM as wishes while the block runs."""
    stop = Stop()

    def heard(number: int, frame: object) -> None:
        stop.asked += 1

    previous = {number: signal.signal(number, heard) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


class Serving:
    """A server that was started in a process group of its own, so that Ctrl-C reaches us alone.

    It is given the open socket, which is closed here: the port is its own.
    """

    def __init__(self, command: Sequence[str], variables: Mapping[str, str], port: socket, grace_s: float) -> None:
        self._grace = grace_s + _MORE_SECONDS
        self._process = subprocess.Popen(
            command,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(port.fileno(),),
            preexec_fn=_end_with_parent,
        )
        port.close()
        self._tail: deque[str] = deque(maxlen=50)
        self._log = threading.Thread(target=self._copy, args=(self._process.stdout,), daemon=True)
        self._log.start()

    def run(self, host: str, port: int, stop: Stop, ready: Callable[[], None]) -> int:
        """Until somebody asks us to stop (0), or it ends of itself: its code where it was ready once.

        Raises `InvalidInput` with its last words where it never got ready.
        """
        is_ready = False
        while not stop and self._process.poll() is None:
            if not is_ready and answers(host, port):
                is_ready = True
                ready()
            self._pause()
        if stop:
            self._end(stop)
            return 0
        self._finish()
        if not is_ready:
            raise InvalidInput(self._last_words())
        return self._process.returncode or 1

    def close(self) -> None:
        """Leave nothing running."""
        _signal_group(self._process.pid, signal.SIGKILL)
        self._finish()

    def _pause(self) -> None:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_LOOK_SECONDS)

    def _end(self, stop: Stop) -> None:
        """Ask it to finish what is in flight; asked a second time, or after its grace, end it."""
        asked, until = stop.asked, time.monotonic() + self._grace
        self._process.terminate()
        while self._process.poll() is None and stop.asked == asked and time.monotonic() < until:
            self._pause()
        self.close()

    def _finish(self) -> None:
        """What it started may hold the log open when it has ended."""
        self._process.wait()
        _signal_group(self._process.pid, signal.SIGKILL)
        self._log.join(_MORE_SECONDS)

    def _copy(self, output: IO[bytes]) -> None:
        """Its log becomes ours, as it comes; the last lines are kept."""
        for line in output:
            self._tail.append(line.decode(errors="replace").rstrip())
            # Who reads our log may have gone: the server goes on.
            with suppress(OSError, ValueError):
                sys.stderr.buffer.write(line)
                sys.stderr.buffer.flush()

    def _last_words(self) -> str:
        code = self._process.returncode
        if code < 0:
            why = ", as happens where memory runs out" if code == -signal.SIGKILL else ""
            return f"The server was ended by signal {-code}{why}."
        said = [line for line in self._tail if line.strip()]
        own = [line.removeprefix(_SAID) for line in said if line.startswith(_SAID)]
        return (own or said or [f"The server ended with code {code} and said nothing."])[-1]


def answers(host: str, port: int) -> bool:
    """Whether the server is ready, as its health check says."""
    with closing(http.client.HTTPConnection(reached_at(host), port, timeout=5)) as connection:
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False


def reached_at(host: str) -> str:
    """Where this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host.strip("[]"), host.strip("[]"))  # noqa: S104


def _signal_group(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _end_with_parent() -> None:
    """On Linux the kernel asks the server to end when we are killed, whatever way."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
