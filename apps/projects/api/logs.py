"""The log of a run as an answer: what there is from an offset on, perhaps after waiting for more."""

from __future__ import annotations

import time

from django.db import close_old_connections, connection
from django.http import StreamingHttpResponse

from apps.core.actor import Actor
from apps.projects import access
from apps.projects.models import ProjectRun
from apps.projects.selectors.logs import stream_log

LOOK_SECONDS = 0.3


def log_answer(actor: Actor, pk: str, *, offset: int, wait: float) -> StreamingHttpResponse:
    """The log as text from byte `offset` on.

    `X-Log-Offset` is where this answer ends, `X-Log-Ended` whether nothing comes after: the run has ended, and all of
    its log was sent. Who waits is answered as soon as there is something, or the run ends.
    """
    run = _with_more(actor, pk, offset, wait)
    end = max(offset, run.log_bytes)
    # Not of the run as it is read, but as it was before: what came since is for the next call.
    headers = {"X-Log-Offset": str(end), "X-Log-Ended": str(not run.is_active).lower(), "Cache-Control": "no-store"}
    content = stream_log(run, offset)
    return StreamingHttpResponse(content, content_type="text/plain; charset=utf-8", headers=headers)


def _with_more(actor: Actor, pk: str, offset: int, wait: float) -> ProjectRun:
    """The run, when it has more than `offset` bytes of log or has ended, or the time is over."""
    until = time.monotonic() + wait
    while True:
        run = access.get_project_run(actor, pk)
        left = until - time.monotonic()
        if run.log_bytes > offset or not run.is_active or left <= 0:
            return run
        # Who sleeps holds no connection of the pool; one with a transaction is its opener's.
        if not connection.in_atomic_block:
            close_old_connections()
        time.sleep(min(LOOK_SECONDS, left))
