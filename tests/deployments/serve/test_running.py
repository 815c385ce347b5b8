"""The server as a child: how it gets ready, what is said where it doesn't, and how it ends."""

from __future__ import annotations

import http.client
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from apps.core.errors import InvalidInput
from apps.deployments.serve.ports import open_port
from apps.deployments.serve.running import Serving, Stop, answers, stopping
from tests.waiting import until

HOST = "127.0.0.1"
_READY = """
import http.server, os, signal, socket, sys
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def do_POST(self):
        os._exit(7)
server = http.server.HTTPServer(("127.0.0.1", 0), Health, bind_and_activate=False)
server.socket.close()
server.socket = socket.socket(fileno=int(sys.argv[1]))
server.socket.listen()
"""
_SERVES = f"{_READY}\nserver.serve_forever()"
_STUBBORN = f"signal = __import__('signal'); signal.signal(15, signal.SIG_IGN)\n{_SERVES}"


@contextmanager
def started(program: str, grace_s: float = 30) -> Iterator[tuple[Serving, int]]:
    """A program that is given an open socket, and the port of that."""
    with open_port(HOST, 0) as port:
        number: int = port.getsockname()[1]
        command = [sys.executable, "-c", program, str(port.fileno())]
        serving = Serving(command, os.environ, port, grace_s)
        try:
            yield serving, number
        finally:
            serving.close()


@pytest.mark.parametrize("program", [_SERVES, _STUBBORN])
def test_it_says_once_that_it_is_ready_and_ends_when_asked(program: str) -> None:
    stop, said = Stop(), []

    def ready() -> None:
        said.append("ready")
        stop.asked += 1

    # Without a grace, since one of them doesn't listen to what it is asked.
    with started(program, grace_s=-5) as (serving, port):
        assert serving.run(HOST, port, stop, ready) == 0
        assert said == ["ready"]
        assert not answers(HOST, port)


def test_asked_a_second_time_it_does_not_wait() -> None:
    stop = Stop()

    def ready() -> None:
        stop.asked += 1
        threading.Timer(0.2, lambda: setattr(stop, "asked", 2)).start()

    with started(_STUBBORN, grace_s=3600) as (serving, port):
        assert serving.run(HOST, port, stop, ready) == 0


def test_its_own_code_where_it_ends_of_itself() -> None:
    def call(port: int) -> None:
        connection = http.client.HTTPConnection(HOST, port)
        connection.request("POST", "/")

    with started(_SERVES) as (serving, port):
        assert serving.run(HOST, port, Stop(), lambda: call(port)) == 7


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("print('[slipway] The model is broken'); print('Traceback'); exit(3)", "^The model is broken$"),
        ("import nowhere_to_be_found", "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("exit(4)", "ended with code 4 and said nothing"),
        ("exit(0)", "ended with code 0 and said nothing"),
        ("import os; os.kill(os.getpid(), 9)", "ended by signal 9, as happens where memory runs out"),
        ("import os; print('fine'); os.kill(os.getpid(), 6)", r"ended by signal 6\."),
    ],
)
def test_its_last_words_where_it_never_gets_ready(program: str, words: str) -> None:
    with started(program) as (serving, port), pytest.raises(InvalidInput, match=words):
        serving.run(HOST, port, Stop(), lambda: None)


def test_what_it_started_is_ended_with_it(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    child = f"import subprocess; p = subprocess.Popen(['sleep', '600']); open({str(file)!r}, 'w').write(str(p.pid))"
    with started(child) as (serving, port), pytest.raises(InvalidInput):
        serving.run(HOST, port, Stop(), lambda: None)
    until(lambda: _state(int(file.read_text())) in ("", "Z"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_are_wishes_while_it_runs(number: int) -> None:
    before = signal.getsignal(number)
    with stopping() as stop:
        assert not stop
        os.kill(os.getpid(), number)
        until(lambda: stop)
    assert signal.getsignal(number) is before


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""
