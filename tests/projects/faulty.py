"""A server of one run, that fails as it is told: what follows a log has to bear it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

# What can go wrong with a call: an answer of a proxy, none at all, half of one.
FAULTS = ("503", "closed", "cut")


@dataclass
class FaultyServer:
    """Its run has this log and has ended so. Each call of the log takes one of `faults`; None: it goes well."""

    log: bytes
    run: dict[str, Any] = field(default_factory=dict)
    faults: list[str | None] = field(default_factory=list)
    # At most so many bytes for a call, as if the log grew.
    step: int = 1_000_000
    asked: list[int] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    url: str = ""

    def shown(self) -> dict[str, Any]:
        """The run as the API shows it."""
        usual = {"id": "1", "state": "finished", "exit_code": 0, "message": "", "worker": "w", "ended_ms": 2}
        return usual | self.run


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Clients that go are a part of the test."""


@contextmanager
def faulty(log: bytes, **more: Any) -> Iterator[FaultyServer]:
    """The server, until the block is left."""
    told = FaultyServer(log, **more)
    server = _Quiet(("127.0.0.1", 0), _handler(told))
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(told: FaultyServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            if not url.path.endswith("/log/"):
                self._json(told.shown())
                return
            offset = int(parse_qs(url.query)["offset"][0])
            fault = told.faults.pop(0) if told.faults else None
            if fault == "closed":
                self.close_connection = True
                return
            if fault == "503":
                self._json({"message": "away"}, 503)
                return
            told.asked.append(offset)
            self._log(offset, is_cut=fault == "cut")

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.cancelled.append(body["reason"])
            told.run["state"] = "cancelled"
            self._json(told.shown())

        def log_message(self, *_: Any) -> None:
            """Nothing: the tests' output is the tests'."""

        def _log(self, offset: int, *, is_cut: bool) -> None:
            end = min(offset + told.step, len(told.log))
            data = told.log[offset:end]
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("X-Log-Offset", str(end))
            self.send_header("X-Log-Ended", str(end == len(told.log)).lower())
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if is_cut else data)
            self.close_connection = is_cut

        def _json(self, value: Any, status: int = 200) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
