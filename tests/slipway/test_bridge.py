"""The bridge, driven as an ASGI server drives it."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from slipway import bridge
from slipway.bridge import Bridge
from slipway.environ import CHUNK, FileWrapper

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass
class Answer:
    """What came out of the bridge."""

    messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode("latin-1") for name, value in self.messages[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.messages[1:])


def scope_of(path: bytes = b"/", method: str = "GET", query: bytes = b"", **headers: str) -> dict[str, Any]:
    """A request as a server describes it."""
    pairs = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return {
        "type": "http",
        "method": method,
        "path": path.decode("latin-1"),
        "raw_path": path,
        "query_string": query,
        "http_version": "1.1",
        "scheme": "http",
        "headers": pairs,
        "client": ("10.0.0.9", 1234),
        "server": ("127.0.0.1", 5000),
        "root_path": "",
    }


def ask(app: App, scope: dict[str, Any], *pieces: bytes, then: str = "") -> Answer:
    """Send a request with a body in `pieces`; `then="http.disconnect"` ends it early."""
    return asyncio.run(_ask(app, scope, pieces, then))


async def _ask(app: App, scope: dict[str, Any], pieces: Iterable[bytes], then: str) -> Answer:
    answer, waiting = Answer(), list(pieces)

    async def receive() -> dict[str, Any]:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting) or bool(then)}
        if then:
            return {"type": then}
        await asyncio.sleep(30)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        answer.messages.append(message)

    with ThreadPoolExecutor(2) as pool:
        await Bridge(app, lambda path: pool)(scope, receive, send)
    return answer


class Whole(list[bytes]):
    """An answer as Django's `HttpResponse` is."""

    streaming = False
    closed = False

    def close(self) -> None:
        self.closed = True


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> Whole:
    """Answers with the body."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return Whole([environ["wsgi.input"].read()])


def environ_of(scope: dict[str, Any], *pieces: bytes) -> dict[str, Any]:
    """What the application gets to see."""
    seen: dict[str, Any] = {}

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Whole:
        seen.update(environ)
        start_response("204 No Content", [])
        return Whole()

    ask(app, scope, *pieces)
    return seen


def test_a_path_is_decoded_once_and_keeps_its_bytes() -> None:
    assert environ_of(scope_of(b"/a%2Fb/%252e%252e/%C3%A9"))["PATH_INFO"] == "/a/b/%2e%2e/Ã©"


def test_headers_arrive_under_their_names() -> None:
    seen = environ_of(scope_of(query=b"a=1", host="slipway", content_type="text/x"))
    assert (seen["HTTP_HOST"], seen["CONTENT_TYPE"], seen["QUERY_STRING"]) == ("slipway", "text/x", "a=1")
    assert (seen["REMOTE_ADDR"], seen["SERVER_PORT"], seen["SERVER_PROTOCOL"]) == ("10.0.0.9", "5000", "HTTP/1.1")


def test_a_header_with_an_underscore_is_no_other_header() -> None:
    scope = scope_of()
    scope["headers"] = [(b"x_forwarded_proto", b"https")]
    assert "HTTP_X_FORWARDED_PROTO" not in environ_of(scope)


def test_repeated_headers_are_joined() -> None:
    scope = scope_of()
    scope["headers"] = [(b"cookie", b"a=1"), (b"cookie", b"b=2"), (b"host", b"one"), (b"host", b"two")]
    seen = environ_of(scope)
    assert (seen["HTTP_COOKIE"], seen["HTTP_HOST"]) == ("a=1; b=2", "one,two")


def test_a_whole_answer_gets_its_length_and_is_closed() -> None:
    made: list[Whole] = []

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Whole:
        start_response("201 Created", [("X-Name", "é")])
        made.append(Whole([b"one", b"two"]))
        return made[0]

    answer = ask(app, scope_of())
    assert (answer.status, answer.headers, answer.body) == (201, {"x-name": "é", "content-length": "6"}, b"onetwo")
    assert made[0].closed


def test_head_has_the_headers_and_no_body() -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Whole:
        start_response("200 OK", [("Content-Length", "5")])
        return Whole([b"hello"])

    answer = ask(app, scope_of(method="HEAD"))
    assert (answer.headers, answer.body) == ({"content-length": "5"}, b"")


@pytest.mark.parametrize("size", [0, 10, bridge.BUFFERED - 1, bridge.BUFFERED + 1, 3 * bridge.BUFFERED])
def test_a_body_arrives_whole(size: int) -> None:
    body = bytes(range(256)) * (size // 256 + 1)
    pieces = [body[:size][start : start + 60_000] for start in range(0, max(size, 1), 60_000)]
    assert ask(echo, scope_of(method="POST", content_length=str(size)), *pieces).body == body[:size]


def test_a_short_chunked_body_gets_its_length() -> None:
    seen = environ_of(scope_of(method="POST", transfer_encoding="chunked"), b"abc", b"de")
    assert seen["CONTENT_LENGTH"] == "5"


def test_a_body_that_breaks_off_while_it_is_gathered_calls_nobody() -> None:
    called = []

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Whole:
        called.append(1)
        return Whole()

    answer = ask(app, scope_of(method="PUT", content_length="10"), b"abc", then="http.disconnect")
    assert (called, answer.messages) == ([], [])


def test_a_body_that_breaks_off_while_it_is_read_is_an_error_of_reading() -> None:
    errors: list[OSError] = []

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Whole:
        try:
            environ["wsgi.input"].read()
        except OSError as error:
            errors.append(error)
        start_response("400 Bad Request", [])
        return Whole()

    scope = scope_of(method="PUT", content_length=str(9 * bridge.BUFFERED))
    answer = ask(app, scope, b"x" * bridge.BUFFERED, b"y", then="http.disconnect")
    assert len(errors) == 1
    assert answer.messages == []


def test_what_is_left_of_a_body_is_read_before_the_answer_goes() -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Whole:
        start_response("413 Content Too Large", [])
        return Whole([b"no"])

    scope = scope_of(method="POST", content_length=str(5 * bridge.BUFFERED))
    answer = ask(app, scope, *[b"x" * bridge.BUFFERED] * 5)
    assert (answer.status, answer.body) == (413, b"no")
    assert "connection" not in answer.headers


def test_a_streamed_answer_goes_chunk_by_chunk_and_is_closed() -> None:
    threads: set[str] = set()

    def chunks() -> Iterator[bytes]:
        for number in range(3):
            threads.add(threading.current_thread().name)
            yield str(number).encode()

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return chunks()

    answer = ask(app, scope_of())
    assert [message.get("body") for message in answer.messages] == [None, b"0", b"1", b"2", b""]
    assert answer.messages[-1]["more_body"] is False
    assert len(threads) == 1


def test_a_client_that_leaves_ends_a_streamed_answer() -> None:
    closed = threading.Event()

    def chunks() -> Iterator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            closed.set()

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        start_response("200 OK", [])
        return chunks()

    ask(app, scope_of(), then="http.disconnect")
    assert closed.is_set()


def test_a_file_is_sent_in_big_chunks() -> None:
    file = io.BytesIO(b"x" * (CHUNK + 1))
    assert [len(chunk) for chunk in FileWrapper(file, 4096)] == [CHUNK, 1]


def test_long_urls_and_headers_are_refused_in_the_protocols_shape() -> None:
    assert ask(echo, scope_of(query=b"q" * 200_000)).status == 414
    answer = ask(echo, scope_of(x_long="h" * 200_000))
    assert answer.status == 431
    assert b'"error_code":"BAD_REQUEST"' in answer.body


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "FROB"])
def test_other_methods_are_refused(method: str) -> None:
    answer = ask(echo, scope_of(method=method))
    assert answer.status == 405
    assert "GET" in answer.headers["allow"]


def test_each_request_has_a_context_of_its_own() -> None:
    from contextvars import ContextVar

    seen: ContextVar[str] = ContextVar("seen", default="nothing")

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Whole:
        before = seen.get()
        seen.set("something")
        start_response("200 OK", [])
        return Whole([before.encode()])

    assert [ask(app, scope_of()).body for _ in range(2)] == [b"nothing", b"nothing"]
