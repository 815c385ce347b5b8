"""A receiver of webhooks on this machine: keeps what it is sent, and answers well, badly, slowly or without end."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from django.test import override_settings

from apps.core.addresses import Allowed


@dataclass
class Received:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`url` leads to it; paths below `/status/NNN`, `/slow`, `/drip`, `/endless`, `/head` and `/redirect` misbehave."""

    url: str = ""
    got: list[Received] = field(default_factory=list)


@contextmanager
def receiver(*, allowed: bool = True, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A running receiver, which the guard lets through where `allowed`."""
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kept.got.append(Received(self.path, dict(self.headers), body))
            try:
                self._answer(self.path.partition("?")[0])
            except OSError:
                return  # the guard hung up

        def _answer(self, path: str) -> None:
            match path.split("/")[1]:
                case "status":
                    self._say(int(path.split("/")[2]), b"as you like")
                case "redirect":
                    self.send_response(302)
                    self.send_header("Location", f"{kept.url}/secret")
                    self.end_headers()
                case "slow":
                    time.sleep(3)
                case "drip":
                    for letter in b"HTTP/1.1 200 OK\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy":
                        self.wfile.write(bytes([letter]))
                        time.sleep(0.1)
                case "endless":
                    self.send_response(200)
                    self.end_headers()
                    while True:
                        self.wfile.write(b"x" * 65536)
                case "head":
                    while True:
                        self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)
                case _:
                    self._say(200, b"thank you")

        def _say(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: what arrived is in `got`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_port}"
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        with override_settings(OUTGOING_ALLOW=Allowed.of(["127.0.0.1"] if allowed else [])):
            yield kept
    finally:
        server.shutdown()
        server.server_close()
