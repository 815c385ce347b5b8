"""A call on its way to a model, and the request that it becomes."""

from __future__ import annotations

from dataclasses import dataclass, field

from apps.core.errors import Unavailable
from apps.deployments.gateway.calls import Call
from apps.deployments.gateway.upstream import Upstream

BODIES_AT_MOST = 256 * 1024 * 1024


class Room:
    """For the bodies that are gathered here: many callers who send slowly must not take all memory together."""

    def __init__(self) -> None:
        self.taken = 0

    def take(self, size: int) -> None:
        """Raises `Unavailable` where there is none left; what was taken is given back all the same."""
        self.taken += size
        if self.taken > BODIES_AT_MOST:
            raise Unavailable("The gateway holds as many bodies as it may. Try again in a moment.", retry_after=1)


@dataclass(slots=True)
class Asked:
    """A call on its way: what was gathered of its body, whether more follows, and whom it was brought to."""

    call: Call
    body: bytes = b""
    more: bool = False
    size: int = 0
    tried: list[Upstream] = field(default_factory=list)


def request_of(upstream: Upstream, asked: Asked) -> bytes:
    """The request as far as it is here. How its body ends is said anew, and in one way alone."""
    call, body = asked.call, asked.body
    query = b"?" + call.query if call.query else b""
    # A model's answer to HEAD has no body: it is asked with GET, so that its end is plain.
    method = b"GET" if call.method == "HEAD" else call.method.encode()
    framing = b""
    if asked.more and call.length is None:
        framing = b"transfer-encoding: chunked\r\n"
        body = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
    elif asked.more:
        framing = b"content-length: %d\r\n" % (call.length or 0)
    elif body or call.method == "POST":
        framing = b"content-length: %d\r\n" % len(body)
    return b"%b /%b%b HTTP/1.1\r\nhost: model\r\n%b%bx-request-id: %b\r\n%b\r\n%b" % (
        method,
        call.rest,
        query,
        call.passed,
        framing,
        call.request_id.encode(),
        b"x-slipway-instance-secret: %b\r\n" % upstream.secret if upstream.secret else b"",
        body,
    )
