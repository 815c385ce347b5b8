"""From logs of this host's instances to the database, where pages of other machines read them: what is read alone."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Max

from apps.core.actor import system_actor
from apps.deployments.actions import instances
from apps.deployments.models import Instance, InstanceLog, ServingHost
from apps.deployments.targets.base import Target


class LogReader:
    """Knows how far it has read each log, and when. `clock`: seconds that only go forward."""

    # So long after somebody asked for a log it is written on.
    WANTED_MS = 30_000
    AT_ONCE = 64 * 1024
    EVERY_SECONDS = 1.0
    TAIL = 8 * 1024

    def __init__(self, host: ServingHost, clock: Callable[[], float]) -> None:
        self._host, self._clock = host, clock
        self._read: dict[int, int] = {}
        self._looked: dict[int, float] = {}

    def read_on(self, row: Instance, target: Target) -> None:
        """Write what came since, at most so much each second that no instance keeps the others from it."""
        now = self._clock()
        if now - self._looked.get(row.pk, float("-inf")) >= self.EVERY_SECONDS:
            self._looked[row.pk] = now
            self._take(row, target)

    def last(self, row: Instance, target: Target) -> str:
        """The end of the log of one that ended, which is written too."""
        self._take(row, target)
        self._read.pop(row.pk, None)
        self._looked.pop(row.pk, None)
        return target.log(row.handle, -self.TAIL, self.TAIL).text

    def _take(self, row: Instance, target: Target) -> None:
        start = self._start(row)
        piece = target.log(row.handle, start, self.AT_ONCE)
        if piece.end - piece.start >= self.AT_ONCE:
            # It writes faster than anybody reads: its end is what matters, and the gap shows.
            piece = target.log(row.handle, -self.AT_ONCE, self.AT_ONCE)
        if piece.text and piece.end > start:
            instances.keep_log(system_actor(), host=self._host, instance=row, piece=piece)
            self._read[row.pk] = piece.end

    def _start(self, row: Instance) -> int:
        if row.pk not in self._read:
            end = InstanceLog.objects.filter(instance=row.pk).aggregate(end=Max("end"))["end"]
            self._read[row.pk] = end or 0
        return self._read[row.pk]
