"""Hands bytes on between a port of the sandbox's loopback, a socket in a file, and one server outside.

A program of its own, with the standard library alone. Outside: `forwarder.py out SOCKET HOST PORT`. Inside, before a
command that it then becomes: `forwarder.py in PORT SOCKET COMMAND…`.
"""

# ruff: noqa: PTH101
# It starts before each command that has no network, so it loads little.

from __future__ import annotations

import os
import socket
import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK = 64 * 1024
# More at once wait until others have ended.
_MOST = 128


def serve(listening: socket.socket, connect: Callable[[], socket.socket]) -> None:
    """Connect each who comes to what `connect` makes, for ever."""
    free = threading.BoundedSemaphore(_MOST)
    while True:
        near, _ = listening.accept()
        free.acquire()
        threading.Thread(target=_joined, args=(near, connect, free), daemon=True).start()


def _joined(near: socket.socket, connect: Callable[[], socket.socket], free: threading.Semaphore) -> None:
    try:
        with near, connect() as far:
            back = threading.Thread(target=_pump, args=(far, near), daemon=True)
            back.start()
            _pump(near, far)
            back.join()
    except OSError:
        return
    finally:
        free.release()


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Until the source ends, which the target is told."""
    try:
        while data := source.recv(_CHUNK):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        for each in (source, target):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


def main(argv: list[str]) -> None:
    """As the module says."""
    if argv[0] == "out":
        path, host, port = argv[1], argv[2], int(argv[3])
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(path)
        os.chmod(path, 0o600)
        listening.listen(64)
        os.write(1, b"ready\n")
        serve(listening, lambda: _server(host, port))
    port, way, command = int(argv[1]), argv[2], argv[3:]
    listening = socket.create_server(("127.0.0.1", port))
    if not os.fork():
        serve(listening, lambda: _file(way))
    listening.close()
    os.execvp(command[0], command)  # noqa: S606


def _file(path: str) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.connect(path)
    return made


def _server(host: str, port: int) -> socket.socket:
    made = socket.create_connection((host, port), timeout=30)
    made.settimeout(None)
    return made


if __name__ == "__main__":
    main(sys.argv[1:])
