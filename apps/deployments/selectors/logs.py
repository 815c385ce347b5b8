"""The logs of instances, from the pieces that their hosts keep in the database. There may be gaps between those."""

from __future__ import annotations

from django.db.models import Max

from apps.deployments.models import Instance, InstanceLog
from apps.deployments.targets.base import LogPiece

_MOST_PIECES = 500


def read_log(instance: Instance, start: int, at_most: int) -> LogPiece:
    """Bytes from `start` on, at most so many; a negative one counts from the end of what is kept. Two statements.

    It begins later than asked where nothing between is kept, and ends before the next gap. One that ended before
    anything was kept has what was said of it.
    """
    found = InstanceLog.objects.filter(instance=instance.pk)
    end = found.aggregate(end=Max("end"))["end"]
    if end is None:
        return _said_of(instance, start, at_most)
    begin = max(0, end + start) if start < 0 else start
    rows = found.filter(end__gt=begin).order_by("start").values_list("start", "text")[:_MOST_PIECES]
    taken = bytearray()
    first: int | None = None
    for at, text in rows:
        data = text.encode()
        if first is None:
            first = max(begin, at)
            taken += data[first - at :]
        elif at > first + len(taken):
            break
        else:
            taken += data[first + len(taken) - at :]
        if len(taken) >= at_most:
            break
    first = min(begin, end) if first is None else first
    return _piece(first, bytes(taken[:at_most]))


def _said_of(instance: Instance, start: int, at_most: int) -> LogPiece:
    data = instance.message.encode() if instance.ended_ms is not None else b""
    begin = max(0, len(data) + start) if start < 0 else min(start, len(data))
    return _piece(begin, data[begin : begin + at_most])


def _piece(start: int, data: bytes) -> LogPiece:
    """Whole characters: what a piece breaks off comes with the next one."""
    text = data.decode(errors="ignore")
    head = len(data) - len(data.lstrip(bytes(range(0x80, 0xC0)))) if start else 0
    return LogPiece(start, start + head + len(text.encode()), text)
