"""While the model is loaded: a process that takes calls and says that it is not there yet."""

from __future__ import annotations

import os
import select
import signal
import socket
from contextlib import suppress

from .calls import Answer, problem, rendered

#: MLflow's server answers 404 on its health addresses as long as there is no model.
_NOT_THERE = rendered(Answer(404, b"\n"), keep_alive=False)
_LATER = rendered(
    problem(503, "TEMPORARILY_UNAVAILABLE", "The model is being loaded.", ((b"Retry-After", b"1"),)), keep_alive=False
)


class WaitingRoom:
    """Opened by a fork, before anything large is imported; closed when workers accept calls."""

    def __init__(self, listener: socket.socket) -> None:
        self._pid = os.fork()
        if self._pid == 0:
            try:
                _serve(listener)
            finally:
                os._exit(0)
        self._handle = _handle_of(self._pid)

    def leave(self) -> None:
        """For a worker that is about to accept calls: nobody else answers when this returns, so that who has heard that
        the model is there is never told that it isn't. The process is reaped by who opened the room."""
        if self._pid and self._handle is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)
            select.select([self._handle], [], [], 1.0)

    def close(self) -> None:
        if self._pid:
            pid, self._pid = self._pid, 0
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _handle_of(pid: int) -> int | None:
    """By which a process is signalled even if its number is another's by now; None where the system has none."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def _serve(listener: socket.socket) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = os.getppid()
    listener.setblocking(False)
    while os.getppid() == parent:
        if not select.select([listener], [], [], 1.0)[0]:
            continue
        try:
            caller, _ = listener.accept()
        except OSError:
            continue
        with caller:
            _answer(caller)


def _answer(caller: socket.socket) -> None:
    """One short answer by the first line alone. Who dawdles is left."""
    caller.settimeout(0.5)
    try:
        head = caller.recv(65536)
        health = head.split(b" ", 2)[1:2] in ([b"/health"], [b"/ping"], [b"/v2/health/ready"])
        caller.sendall(_NOT_THERE if health else _LATER)
        caller.shutdown(socket.SHUT_WR)
        caller.recv(65536)
    except OSError:
        pass
