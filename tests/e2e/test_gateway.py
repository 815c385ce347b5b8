"""The gateway in a real server, spoken to by bytes: what an HTTP library would not send."""

from __future__ import annotations

import os
import socket
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.servers import Server, slipway_server

_ROWS = """
from apps.accounts.models import Team
from tests.deployments.gateway.making import make_deployment, make_instance, make_revision
make_instance(make_revision(make_deployment(Team.objects.first(), "iris"), max_body_mb=1), "unix:{path}")
"""
MEGABYTE = 1024 * 1024
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Model:
    """A model that counts what comes, answers the length of each body, and breaks off where it is asked to."""

    path: Path
    lines: list[str] = field(default_factory=list)

    def serve(self) -> socketserver.ThreadingUnixStreamServer:
        model = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                while line := self.rfile.readline().decode("latin-1").strip():
                    model.lines.append(line)
                    self.answer(line, self.body())

            def body(self) -> bytes:
                length, is_chunked, body = 0, False, b""
                while header := self.rfile.readline().decode("latin-1").strip().lower():
                    length = int(header.split(":")[1]) if header.startswith("content-length:") else length
                    is_chunked = is_chunked or header == "transfer-encoding: chunked"
                while is_chunked and (size := int(self.rfile.readline(), 16)):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                if is_chunked:
                    self.rfile.readline()
                return body or self.rfile.read(length)

            def answer(self, line: str, body: bytes) -> None:
                if "breaks" in line:
                    self.wfile.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                said = b"%d" % len(body)
                self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(said), said))

        return socketserver.ThreadingUnixStreamServer(str(self.path), Handler)


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Server, Model]]:
    with TemporaryDirectory(prefix="sw-gw-") as name:
        model = Model(Path(name) / "model")
        serving = model.serve()
        serving.daemon_threads = True
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        home = Path(name) / "home"
        home.mkdir()
        paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        with slipway_server(home, database=f"sqlite:///{home}/slipway.db", PYTHONPATH=paths) as server:
            server.command("shell", "-v", "0", "-c", _ROWS.format(path=model.path))
            yield server, model
        serving.shutdown()


def speak(server: Server, *pieces: bytes, authorized: bool = True, stays: bool = False) -> bytes:
    """All that is answered to bytes on one connection, until it is closed, or, where it stays, silent for a while."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as line:
        head = b"host: localhost\r\n" + (f"authorization: Bearer {server.token}\r\n".encode() if authorized else b"")
        head += b"" if stays else b"connection: close\r\n"
        for piece in pieces:
            line.sendall(piece.replace(b"{auth}", head))
        said = b""
        try:
            while piece := line.recv(65536):
                said += piece
                line.settimeout(1 if stays else 20)
        except TimeoutError:
            assert stays, said
        return said


def test_it_answers(served: tuple[Server, Model]) -> None:
    said = speak(served[0], b"POST /serve/iris/invocations HTTP/1.1\r\n{auth}content-length: 3\r\n\r\nabc")
    assert said.startswith(b"HTTP/1.1 200")
    assert said.endswith(b"\r\n\r\n3")


@pytest.mark.parametrize(
    "request_",
    [
        b"content-length: 3\r\ncontent-length: 50\r\n\r\nabcGET /serve/iris/ping HTTP/1.1\r\n{auth}\r\n",
        b"transfer-encoding: xchunked\r\n\r\nGET /serve/iris/ping HTTP/1.1\r\n{auth}\r\n",
        b"transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        b"content-length: -1\r\n\r\nabc",
        b"x: a\r\n folded: b\r\ncontent-length: 3\r\n\r\nabc",
        b"x\0: a\r\ncontent-length: 3\r\n\r\nabc",
    ],
)  # fmt: skip
def test_requests_of_two_meanings_reach_no_model(served: tuple[Server, Model], request_: bytes) -> None:
    server, model = served
    before = len(model.lines)
    said = speak(server, b"POST /serve/iris/invocations HTTP/1.1\r\n{auth}" + request_, stays=True)
    assert not said or said.startswith(b"HTTP/1.1 4"), said[:200]
    assert b"200 OK" not in said
    assert len(model.lines) == before


def test_a_length_beside_chunks_is_left_out_and_ends_the_connection(served: tuple[Server, Model]) -> None:
    """The server does so before it comes to us: chunks win, and what follows on the connection is not read."""
    server, model = served
    begins = b"POST /serve/iris/invocations HTTP/1.1\r\n{auth}content-length: 5\r\n"
    chunks = b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n"
    said = speak(server, begins + chunks + b"GET /serve/iris/ping HTTP/1.1\r\n{auth}\r\n", stays=True)
    assert said.count(b"HTTP/1.1") <= 1
    assert not [line for line in model.lines if "ping" in line]


def test_a_head_without_end_is_cut_off(served: tuple[Server, Model]) -> None:
    server, model = served
    before = len(model.lines)
    said = speak(server, b"POST /serve/iris/invocations HTTP/1.1\r\n{auth}", b"x: " + b"y" * 90_000 + b"\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 431")
    assert len(model.lines) == before


@pytest.mark.parametrize(
    "path",
    [
        b"/serve/iris/%2e%2e/ping",
        b"/serve/%2e%2e/health",
        b"/serve//iris/ping",
        b"/%73erve/iris/ping",
        b"/serve/iris%2fping",
    ],
)
def test_other_spellings_of_a_path_reach_no_model(served: tuple[Server, Model], path: bytes) -> None:
    server, model = served
    before = len(model.lines)
    said = speak(server, b"GET " + path + b" HTTP/1.1\r\n{auth}\r\n")
    assert said.startswith(b"HTTP/1.1 404"), said[:200]
    assert speak(server, b"GET " + path + b" HTTP/1.1\r\n{auth}\r\n", authorized=False).startswith(b"HTTP/1.1 401")
    assert len(model.lines) == before


def test_a_body_over_the_limit_is_refused_and_the_caller_reads_it(served: tuple[Server, Model]) -> None:
    server, model = served
    before = len(model.lines)
    head = b"POST /serve/iris/invocations HTTP/1.1\r\n{auth}content-length: %d\r\n\r\n" % (4 * MEGABYTE)
    said = speak(server, head, *[b"x" * MEGABYTE] * 4)
    assert said.startswith(b"HTTP/1.1 413")
    assert b"larger than 1 MB" in said
    assert len(model.lines) == before


def test_an_answer_that_breaks_off_is_not_taken_for_whole(served: tuple[Server, Model]) -> None:
    said = speak(served[0], b"POST /serve/iris/invocations?breaks HTTP/1.1\r\n{auth}content-length: 2\r\n\r\n{}")
    assert said.startswith(b"HTTP/1.1 200")
    assert b"first" in said
    assert not said.endswith(b"0\r\n\r\n")


def test_bodies_come_in_chunks(served: tuple[Server, Model]) -> None:
    pieces = [b"%x\r\n%b\r\n" % (60_000, b"x" * 60_000) for _ in range(10)]
    head = b"POST /serve/iris/invocations HTTP/1.1\r\n{auth}transfer-encoding: chunked\r\n\r\n"
    said = speak(served[0], head, *pieces, b"0\r\n\r\n")
    assert said.endswith(b"\r\n\r\n600000"), said[:300]
