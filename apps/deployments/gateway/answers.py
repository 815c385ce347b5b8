"""Answers of the gateway itself, and what of an instance's answer goes on to the caller."""

from __future__ import annotations

from functools import lru_cache

import orjson

from apps.core.errors import DomainError

Headers = list[tuple[bytes, bytes]]
# Orders to a server before us: nginx, Apache or lighttpd would send a file of their own in the place of the answer.
_ORDERS = (b"x-accel-", b"x-sendfile", b"x-lighttpd-", b"x-litespeed-", b"x-reproxy-")
# What others say of where a call came from and how it went on, and what browsers act on.
_NOT_THEIRS = (b"x-slipway-", b"x-frame-", b"x-content-type", b"x-request-id", b"x-forwarded-", b"x-permitted-")
# What comes from a model is data. A browser must never take it for a page of ours.
_GUARDS: Headers = [
    # It is for whoever may call: a cache before us would hand it to others, if a model could allow it that.
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; sandbox; frame-ancestors 'none'"),
    (b"referrer-policy", b"same-origin"),
]
_PASSED = frozenset(
    (
        b"allow",
        b"content-disposition",
        b"content-encoding",
        b"content-language",
        b"content-type",
        b"etag",
        b"last-modified",
        b"retry-after",
        b"vary",
    )
)


def headers_of(received: Headers) -> Headers:
    """Of an instance's headers those that say something of the answer; none that would act on our site."""
    kept = [pair for pair in received if pair[0] in _PASSED or _is_own(pair[0])]
    kept += _GUARDS
    return kept


def headers_for(received: Headers, request_id: str, revision: int, version: int) -> Headers:
    """Those that go on to the caller, and who answered; the length is left to who knows it."""
    headers = headers_of(received)
    headers += [
        (b"x-request-id", request_id.encode()),
        (b"x-slipway-revision", b"%d" % revision),
        (b"x-slipway-version", b"%d" % version),
    ]
    return headers


@lru_cache(maxsize=256)
def lines_of(received: tuple[tuple[bytes, bytes], ...]) -> bytes:
    """What `headers_of` gives, as it is sent. Models say the same with each answer, but for its length."""
    return b"".join([b"%b: %b\r\n" % pair for pair in headers_of(list(received))])


def head_for(received: Headers, request_id: str, revision: int, version: int, length: int) -> bytes:
    """As `headers_for`, with the length, as it is sent."""
    return b"%bx-request-id: %b\r\nx-slipway-revision: %d\r\nx-slipway-version: %d\r\ncontent-length: %d\r\n" % (
        lines_of(tuple(received)),
        request_id.encode(),
        revision,
        version,
        length,
    )


def error_of(error: DomainError, request_id: str, *, of_v2: bool) -> tuple[int, Headers, bytes]:
    """An error in the shape of the protocol that was spoken."""
    body = orjson.dumps({"error": error.message} if of_v2 else error.as_json())
    headers = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in error.headers.items()]
    headers += [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"x-request-id", request_id.encode()),
        *_GUARDS,
    ]
    return error.status, headers, body


def without_trace(body: bytes) -> bytes:
    """An error of a model without its stack trace, which tells of its inside; what is no such JSON stays as it is."""
    if b"stack_trace" not in body:
        return body
    try:
        said = orjson.loads(body)
    except ValueError:
        return body
    if not isinstance(said, dict) or "stack_trace" not in said:
        return body
    del said["stack_trace"]
    try:
        return orjson.dumps(said)
    except TypeError:
        # It reads what is nested deeper than it writes.
        return b"{}"


def _is_own(name: bytes) -> bool:
    """Not in another spelling either: some servers take `x_sendfile` for it."""
    return name.startswith(b"x-") and b"_" not in name and not name.startswith((*_ORDERS, *_NOT_THEIRS))
