"""Who may call, where the tracking server is asked."""

from __future__ import annotations

import asyncio
import http.server
import threading
from collections.abc import Iterator

import pytest

from apps.deployments.scoring.authorize import Gatekeeper
from apps.deployments.scoring.calls import Answer
from apps.deployments.scoring.config import Authorize


class _Tracking(http.server.BaseHTTPRequestHandler):
    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        said = {"Bearer good": 204, "Bearer weak": 403, "Bearer broken": 500}.get(self.headers["Authorization"], 401)
        body = b'{"message": "It has registry, and serve is wanted."}' if said == 403 else b""
        self.send_response(said)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def rule() -> Iterator[Authorize]:
    _Tracking.asked = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Tracking) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Authorize(f"http://127.0.0.1:{server.server_port}/may?name=m", "serve")
        server.shutdown()


def verdicts(rule: Authorize, headers: list[bytes]) -> list[Answer | None]:
    async def ask() -> list[Answer | None]:
        loop = asyncio.get_running_loop()
        gatekeeper = Gatekeeper(loop, rule)
        said: list[Answer | None] = []
        for header in headers:
            done: asyncio.Future[Answer | None] = loop.create_future()
            gatekeeper.ask(header, done.set_result)
            said.append(await done)
        return said

    return asyncio.run(ask())


def test_each_caller(rule: Authorize) -> None:
    said = verdicts(rule, [b"Bearer good", b"Bearer weak", b"Bearer none", b"", b"Bearer broken"])
    assert [answer and answer.status for answer in said] == [None, 403, 401, 401, 503]
    assert said[1] is not None and b"It has registry, and serve is wanted." in said[1].body
    assert _Tracking.asked[0] == "/may?name=m&scope=serve"


def test_an_answer_is_remembered_and_a_failure_is_not(rule: Authorize) -> None:
    verdicts(rule, [b"Bearer good"] * 5 + [b"Bearer weak"] * 5)
    assert len(_Tracking.asked) == 2
    verdicts(rule, [b"Bearer broken"] * 3)
    assert len(_Tracking.asked) == 5


def test_nobody_to_ask() -> None:
    (said,) = verdicts(Authorize("http://127.0.0.1:9/may"), [b"Bearer good"])
    assert said is not None
    assert (said.status, said.headers) == (503, ((b"Retry-After", b"2"),))


def test_made_up_tokens_wait_for_nobody_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them holds a body meanwhile."""
    over = threading.Event()

    def slow(rule: Authorize, header: bytes) -> tuple[Answer | None, bool]:
        over.wait(10)
        return None, True

    monkeypatch.setattr("apps.deployments.scoring.authorize.ask_server", slow)

    async def ask() -> list[Answer | None]:
        gatekeeper = Gatekeeper(asyncio.get_running_loop(), Authorize("http://127.0.0.1:9/may"))
        said: list[Answer | None] = []
        for number in range(500):
            gatekeeper.ask(b"Bearer %d" % number, said.append)
        refused = list(said)
        over.set()
        while len(said) < 500:
            await asyncio.sleep(0.01)
        return refused

    refused = asyncio.run(ask())
    assert {answer.status for answer in refused if answer} == {503} and len(refused) == 500 - 128


def test_made_up_tokens_make_no_good_one_forgotten(rule: Authorize, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.deployments.scoring.authorize._REMEMBERED", 3)
    verdicts(rule, [b"Bearer good", *(b"Bearer %d" % number for number in range(8)), b"Bearer good"])
    assert len(_Tracking.asked) == 9
