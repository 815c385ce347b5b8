"""What is true for the whole of a request, task or command, entered once at its edge."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequestContext:
    """`request_id` ties log lines and audit events of one request together; `ip` is None off the web.

    `task` is the name of the task that goes on, `project_run` the number of the run that a worker does; for the log.
    """

    request_id: str
    ip: str | None = None
    task: str = ""
    project_run: int | None = None


_current: ContextVar[RequestContext | None] = ContextVar("slipway_request_context", default=None)


def new_request_id() -> str:
    """128 random bits as 32 hex digits."""
    return secrets.token_hex(16)


def current_context() -> RequestContext:
    """The context entered at the edge; a fresh one where none was (a shell, a test)."""
    return _current.get() or RequestContext(request_id=new_request_id())


def known_context() -> RequestContext | None:
    """The context entered at the edge; None where none was."""
    return _current.get()


@contextmanager
def entered(context: RequestContext) -> Iterator[RequestContext]:
    """Make `context` the current one inside the block."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)
