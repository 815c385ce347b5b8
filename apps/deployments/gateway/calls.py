"""A call as it came in: what the gateway looks at, and the headers that go on to the instance."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.core.errors import BadRequest, DomainError
from apps.deployments.gateway.doors import SCOPE_KEY, Door
from apps.deployments.gateway.routes import split_path

HEADERS_AT_MOST = 64 * 1024
URL_AT_MOST = 16 * 1024
_random: list[bytes] = []
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")
# Looked at here, and not passed on: credentials, what is of one connection alone, and what only we may say.
_OURS = frozenset(
    (
        b"authorization",
        b"connection",
        b"content-length",
        b"cookie",
        b"expect",
        b"forwarded",
        b"host",
        b"keep-alive",
        b"origin",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"x-csrftoken",
        b"x-mlflow-workspace",
        b"x-request-id",
        b"x-slipway-instance-secret",
        b"x-slipway-revision",
    )
)


class HeadersTooLong(DomainError):
    status = 431


class UrlTooLong(DomainError):
    status = 414


@dataclass(slots=True)
class Call:
    """`ours` are the headers that are looked at here, `passed` those that go on, as they are sent.

    `length` is that of the body: None where it is not told, 0 where there is none.
    """

    method: str
    # The deployment's name in small letters, empty where the path is none of ours, and what follows it.
    name: bytes
    rest: bytes
    query: bytes
    address: str
    scheme: str
    request_id: str
    ours: dict[bytes, bytes]
    passed: bytes
    length: int | None
    # The deployment's own port that it came in by; None: the site's.
    door: Door | None = None
    # For what is rarely asked for: the key of stickiness.
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)

    def anew(self) -> Call:
        """The same call once more, which has an id of its own unless its caller gave it one."""
        given = self.ours.get(b"x-request-id", b"") == self.request_id.encode()
        return Call(
            self.method,
            self.name,
            self.rest,
            self.query,
            self.address,
            self.scheme,
            self.request_id if given else _new_id(),
            self.ours,
            self.passed,
            self.length,
            self.door,
            self.headers,
        )

    def header(self, wanted: bytes) -> bytes:
        """A header's value, the first where there are several; empty where there is none."""
        return next((value for name, value in self.headers if name.lower() == wanted), b"")


def call_of(scope: Mapping[str, Any]) -> Call:
    """The call that an ASGI scope describes. Raises `BadRequest` and its like for what could be read in two ways."""
    raw_path = scope.get("raw_path") or scope["path"].encode()
    path, query = raw_path.partition(b"?")[0], scope["query_string"]
    if len(path) + len(query) > URL_AT_MOST:
        raise UrlTooLong("The URL is too long.")
    ours, passed, size = _sorted(scope["headers"])
    if size > HEADERS_AT_MOST:
        raise HeadersTooLong("The headers are too long.")
    door = scope.get(SCOPE_KEY)
    name, rest = split_path(path) if door is None else (door.name, path[1:])
    given = ours.get(b"x-request-id", b"")
    return Call(
        method=scope["method"],
        name=name,
        rest=rest,
        query=query,
        address=(scope.get("client") or ("",))[0],
        scheme=scope.get("scheme", "http"),
        request_id=given.decode() if given and _REQUEST_ID.fullmatch(given) else _new_id(),
        ours=ours,
        passed=passed,
        length=_length_of(ours),
        headers=scope["headers"],
        door=door,
    )


def _new_id() -> str:
    """As `apps.core.context.new_request_id`; the system is asked for randomness once for many."""
    if not _random:
        drawn = secrets.token_bytes(4096)
        _random.extend(drawn[start : start + 16] for start in range(0, len(drawn), 16))
    return _random.pop().hex()


def _sorted(headers: list[tuple[bytes, bytes]]) -> tuple[dict[bytes, bytes], bytes, int]:
    ours: dict[bytes, bytes] = {}
    passed = []
    size = count = 0
    named = b""
    for raw_name, value in headers:
        name = raw_name.lower()
        size += len(name) + len(value)
        if name not in _OURS:
            # `X_Real_User` would arrive as `X-Real-User` in some servers.
            if b"_" not in name:
                passed.append(b"%b: %b\r\n" % (name, value))
                count += 1
        elif name in ours:
            _refuse_twice(name, ours[name], value)
        else:
            ours[name] = value
            if name == b"connection":
                named = value.lower()
    if named and named not in (b"keep-alive", b"close"):
        # Headers that the caller names there are for us alone.
        words = {word.strip() for word in named.split(b",")}
        passed = [line for line in passed if line.partition(b":")[0] not in words]
        count = len(passed)
    joined = b"".join(passed)
    if joined.count(b"\n") != count or joined.count(b"\r") != count or b"\0" in joined:
        raise BadRequest("A header has a line break in it.")
    return ours, joined, size


def _refuse_twice(name: bytes, one: bytes, other: bytes) -> None:
    """Two of these could be understood in two ways: a proxy would take one and a model the other."""
    if name in (b"content-length", b"transfer-encoding", b"host", b"authorization", b"cookie") and one != other:
        raise BadRequest(f"The header {name.decode()} is there twice.")
    if name == b"transfer-encoding":
        raise BadRequest("The header transfer-encoding is there twice.")


def _length_of(ours: Mapping[bytes, bytes]) -> int | None:
    length, coding = ours.get(b"content-length"), ours.get(b"transfer-encoding")
    if coding is not None:
        if length is not None:
            raise BadRequest("Content-Length and Transfer-Encoding contradict each other.")
        if coding.strip().lower() != b"chunked":
            raise BadRequest("Transfer-Encoding may be chunked, and nothing else.")
        return None
    if length is None:
        return 0
    if not length.isdigit() or len(length) > 18:
        raise BadRequest("Content-Length is not a number.")
    return int(length)
