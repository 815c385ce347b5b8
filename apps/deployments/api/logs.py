"""The log of an instance as an answer: what there is from an offset on, perhaps after waiting for more."""

from __future__ import annotations

import time

from django.db import close_old_connections, connection
from django.http import HttpResponse

from apps.core.actor import Actor
from apps.deployments import access
from apps.deployments.actions.instances import want_log
from apps.deployments.models import Deployment
from apps.deployments.selectors.logs import read_log
from apps.deployments.targets.base import LogPiece

LOOK_SECONDS = 0.5


def log_answer(actor: Actor, deployment: Deployment, key: str, *, offset: int, limit: int, wait: float) -> HttpResponse:
    """At most `limit` bytes of text from byte `offset` on; a negative one counts from the end.

    `X-Log-Start` and `X-Log-Offset` are where this piece begins and ends: it begins later than asked where older lines
    are not kept. `X-Log-Ended`: the instance has ended, and nothing comes after. Asking lets its host write on.
    """
    until = time.monotonic() + wait
    want_log(actor, instance=access.get_instance(actor, deployment, key))
    while True:
        # The instance before its log: what is written at its end is there when it has ended.
        instance = access.get_instance(actor, deployment, key)
        has_ended = instance.ended_ms is not None
        piece = read_log(instance, offset, limit)
        left = until - time.monotonic()
        if piece.text or has_ended or left <= 0:
            return _answer(piece, is_last=has_ended and not piece.text)
        # Who sleeps holds no connection of the pool; one with a transaction is its opener's.
        if not connection.in_atomic_block:
            close_old_connections()
        time.sleep(min(LOOK_SECONDS, left))


def _answer(piece: LogPiece, *, is_last: bool) -> HttpResponse:
    headers = {
        "X-Log-Start": str(piece.start),
        "X-Log-Offset": str(piece.end),
        "X-Log-Ended": str(is_last).lower(),
        "Cache-Control": "no-store",
    }
    return HttpResponse(piece.text, content_type="text/plain; charset=utf-8", headers=headers)
