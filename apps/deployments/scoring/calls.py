"""A request that has arrived whole, and how it is answered."""

from __future__ import annotations

import http
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .connections import Connection

JSON = b"application/json"
TEXT = b"text/plain; charset=utf-8"

Header = tuple[bytes, bytes]


class Answer:
    """What is sent back."""

    __slots__ = ("body", "headers", "kind", "status")

    def __init__(self, status: int, body: bytes, kind: bytes = JSON, headers: tuple[Header, ...] = ()) -> None:
        self.status, self.body, self.kind, self.headers = status, body, kind, headers


def problem(status: int, code: str, message: str, headers: tuple[Header, ...] = ()) -> Answer:
    """An error in MLflow's shape."""
    body = json.dumps({"error_code": code, "message": message})
    return Answer(status, body.encode("utf-8", "replace"), headers=headers)


class Request:
    """The parts of a request. Header names are in lower case; `body` is as sent, perhaps compressed."""

    __slots__ = ("answered", "arrived", "body", "connection", "headers", "keep_alive", "method", "path", "query")

    def __init__(self, connection: Connection | None, method: bytes, path: bytes, query: bytes) -> None:
        self.connection, self.method, self.path, self.query = connection, method, path, query
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self.keep_alive = True
        self.arrived = 0.0
        self.answered = False

    def answer(self, answer: Answer) -> None:
        """Send the answer, in the loop's thread. A second one (an answer after a timeout) is dropped."""
        if self.answered:
            return
        self.answered = True
        if self.connection is not None:
            self.connection.send(self, answer)


_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: ".encode() for status in http.HTTPStatus
}


def rendered(answer: Answer, keep_alive: bool, head_only: bool = False) -> bytes:
    """The bytes of an answer."""
    lines = b"".join(b"\r\n%b: %b" % header for header in answer.headers)
    if not keep_alive:
        lines += b"\r\nConnection: close"
    return b"%b%b\r\nContent-Length: %d%b\r\n\r\n%b" % (
        _STATUS_LINES[answer.status],
        answer.kind,
        len(answer.body),
        lines,
        b"" if head_only else answer.body,
    )
