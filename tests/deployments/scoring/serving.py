"""The scoring server as a process of its own, and a client that sends bytes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apps.deployments.scoring as package
from tests.waiting import PATIENCE, until

LAUNCH = Path(package.__file__).with_name("launch.py")


class Served:
    """A running server: its process, what it has said, and where it listens."""

    def __init__(self, process: subprocess.Popen[str], listen: dict[str, Any]) -> None:
        self.process, self.listen = process, listen
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines += self.process.stdout

    @property
    def log(self) -> str:
        return "".join(self.lines)

    def wait_ready(self) -> None:
        # Frameworks are imported for the first time here, perhaps while others use the machine too.
        until(lambda: " is ready on " in self.log or self.process.poll() is not None, 4 * PATIENCE)
        found = re.search(r"is ready on http://[^:]+:(\d+)", self.log)
        if found:
            self.listen = {"host": "127.0.0.1", "port": int(found[1])}
        assert self.process.poll() is None, self.log

    def wait_ended(self) -> int:
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def connect(self) -> socket.socket:
        if "unix" in self.listen:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(PATIENCE)
            connection.connect(self.listen["unix"])
            return connection
        return socket.create_connection((self.listen["host"], self.listen["port"]), timeout=PATIENCE)

    def ask(self, body: Any, path: str = "/invocations", **headers: str) -> tuple[int, Any]:
        """Status and JSON of a POST on a connection of its own."""
        with self.connect() as connection:
            connection.sendall(post(body, path, **headers))
            return read_answer(connection)

    def get(self, path: str) -> tuple[int, Any]:
        with self.connect() as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            return read_answer(connection)

    def workers(self) -> list[int]:
        """The processes of workers, or of the waiting room while it loads."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in listed.split()]


@contextmanager
def serving(folder: Path, where: Path, environ: dict[str, str] | None = None, **config: Any) -> Iterator[Served]:
    """A server of a model's folder, ended afterwards. Its configuration lies in the folder `where`."""
    whole = {"model": str(folder), "name": "m", "listen": {"host": "127.0.0.1", "port": 0}, **config}
    path = where / "config.json"
    path.write_text(json.dumps(whole))
    process = subprocess.Popen(
        [sys.executable, "-I", str(LAUNCH), str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **(environ or {})},
    )
    served = Served(process, whole["listen"])
    try:
        yield served
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()


def post(body: Any, path: str = "/invocations", **headers: str) -> bytes:
    """The bytes of a request. A body that is no bytes is sent as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return f"POST {path} HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode() + data


def read_answer(connection: socket.socket) -> tuple[int, Any]:
    """Status and JSON (or text) of one answer."""
    status, _, body = read_whole(connection)
    try:
        return status, json.loads(body)
    except ValueError:
        return status, body.decode()


def read_whole(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Status, headers in lower case, and body of one answer."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        assert more, f"the connection ended after {data!r}"
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    headers = {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip() for line in rest}
    while len(body) < int(headers.get("content-length", 0)):
        more = connection.recv(65536)
        assert more, "the connection ended within a body"
        body += more
    return int(first.split()[1]), headers, body
