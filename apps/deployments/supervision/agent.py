"""What a host does for its own instances: starts, observes and ends those that the one who decides gave to it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from django.db import Error as AnyDatabaseError

from apps.core.actor import system_actor
from apps.deployments.actions import instances, leading
from apps.deployments.models import Instance, InstanceState, ServingHost
from apps.deployments.supervision.errands import Errands, tried
from apps.deployments.supervision.handover import is_missed
from apps.deployments.supervision.logs import LogReader
from apps.deployments.supervision.places import lacking
from apps.deployments.supervision.planning import START_LIMIT_MS
from apps.deployments.supervision.starting import Starter
from apps.deployments.supervision.words import ended_words
from apps.deployments.targets.base import Observation, Target
from apps.projects.actions.common import DatabaseMs

logger = logging.getLogger(__name__)

BEAT_SECONDS = 3.0
# Gateways look twice a second: by then none sends anything new to one that drains.
DRAIN_MS = 2_000
GRACE_SECONDS = 30.0
# One that is silent for so long gets nothing new, and after more it is ended: it hangs.
UNHEALTHY_SECONDS = 3.0
HANGS_SECONDS = 10.0
STRAYS_SECONDS = 60.0
MEMORY_SECONDS = 15.0
_HANG_GRACE = 2.0
_HANDOVER_PAUSE = 0.3


class Agent:
    """`tick` from one thread; what is slow is done by errands. `clock`: seconds that only go forward."""

    def __init__(
        self,
        host: ServingHost,
        targets: Mapping[str, Target],
        starter: Starter,
        errands: Errands,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.host, self.targets = host, targets
        self._starter, self._errands, self._clock = starter, errands, clock
        self._logs = LogReader(host, clock)
        self.rows: dict[int, Instance] = {}
        self._silent_since: dict[int, float] = {}
        self._ending: dict[int, float] = {}
        self._why: dict[int, str] = {}
        self._memory: dict[int, int] = {}
        self._beat = self._strays = self._told_memory = float("-inf")

    def tick(self) -> bool:
        """One look; whether something is on its way, so that the next should come soon. Raises `Deposed`.

        Without a database instances are still looked after, and nothing else is done to them.
        """
        try:
            self._hear()
        except AnyDatabaseError:
            self._watch(list(self.rows.values()), only_touch=True)
            raise
        rows = list(self.rows.values())
        for row in rows:
            self._act(row)
        self._watch(rows)
        self._tell_memory()
        return any(row.state != InstanceState.READY for row in rows)

    def hand_over(self, seconds: float, pause: Callable[[float], object] = time.sleep) -> None:
        """Wait until other hosts answer for what answers here, where they can; for so long at most.

        For a host that said that it stops, so that whoever decides begins its instances elsewhere.
        """
        self._starter.stop()
        until = self._clock() + seconds
        while self._clock() < until:
            missed = [True]

            def look(missed: list[bool] = missed) -> None:
                self.tick()
                missed[0] = is_missed(self.host, self.rows.values())

            if not tried("look whether others took over", look) or not missed[0]:
                return
            pause(_HANDOVER_PAUSE)

    def end_all(self, seconds: float) -> None:
        """End what runs here, since this host stops; returns when nothing is left, or the time is over."""
        self._starter.stop()
        tried("look for what runs", self._hear)
        rows, reason = list(self.rows.values()), "Its host was stopped."
        if not rows:
            return
        note = partial(instances.note_interrupted, system_actor(), host=self.host, instances=rows, reason=reason)
        tried("say that instances end", note)
        for row in rows:
            if row.handle and row.target in self.targets:
                tried(f"end instance {row.pk}", partial(self._target(row).end, row.handle, seconds / 2))
        end = time.monotonic() + seconds
        while self.rows and time.monotonic() < end:
            tried("see what is left", self._finish)
            time.sleep(0.1)

    def _finish(self) -> None:
        self._hear()
        rows = list(self.rows.values())
        for row in rows:
            self._act(row)
        for kind in self.targets:
            self._observe(kind, rows)

    def _hear(self) -> None:
        """Which are this host's, and that it lives."""
        if self._clock() - self._beat >= BEAT_SECONDS:
            leading.beat_host(system_actor(), host=self.host)
            self._beat = self._clock()
        found = Instance.objects.alive().filter(host=self.host.name).annotate(now=DatabaseMs())
        found = found.select_related("revision__deployment", "revision__version__model__team").order_by("pk")
        self.rows = {row.pk: row for row in found}
        self._starter.keep(row.pk for row in self.rows.values() if row.drain_ms is None)
        for kept in (self._silent_since, self._ending, self._why, self._memory):
            # Of a copy: errands write here meanwhile.
            for gone in [pk for pk in list(kept) if pk not in self.rows]:
                kept.pop(gone, None)
        if self._clock() - self._strays >= STRAYS_SECONDS:
            self._strays = self._clock()
            self._errands.send("look for targets", self._offer)
            self._end_strays()

    def _offer(self) -> None:
        """Engines and clusters come and go."""
        leading.note_targets(system_actor(), host=self.host, lacking=lacking(self.targets))

    def _act(self, row: Instance) -> None:
        """What the database alone tells to do."""
        key = f"start {row.pk}"
        if row.target not in self.targets:
            self._ended(row, f"This host does not offer the target {row.target} any more.")
        elif not row.handle and not self._errands.is_going_on(key):
            if row.drain_ms is not None or self._starter.is_stopped:
                self._ended(row, row.message)
            else:
                self._errands.send(key, partial(self._starter.start, self.host, row, self._target(row)))
        elif row.handle and row.drain_ms is not None and _now(row) - row.drain_ms >= DRAIN_MS:
            self._end(row, GRACE_SECONDS)

    def _watch(self, rows: list[Instance], *, only_touch: bool = False) -> None:
        for kind in self.targets:
            of_kind = [row for row in rows if row.target == kind and row.handle]
            if of_kind:
                work = self._touch if only_touch else self._observe
                # Each look sends it: if its end were a reason to look, looks would follow each other without rest.
                self._errands.send(f"observe {kind}", partial(work, kind, of_kind), quiet=True)

    def _touch(self, kind: str, rows: list[Instance]) -> None:
        """To be looked after is what keeps them: nobody hears what is seen."""
        self.targets[kind].observe({row.pk: row.handle for row in rows})

    def _observe(self, kind: str, rows: list[Instance]) -> None:
        handles = {row.pk: row.handle for row in rows if row.target == kind and row.handle}
        seen = self.targets[kind].observe(handles) if handles else {}
        for row in rows:
            if row.pk in seen:
                tried(f"look after instance {row.pk}", partial(self._judge, row, seen[row.pk]))

    def _judge(self, row: Instance, seen: Observation) -> None:
        if not seen.is_alive:
            self._gone(row, seen)
            return
        if seen.memory_bytes is not None:
            self._memory[row.pk] = seen.memory_bytes
        if seen.is_ready:
            self._silent_since.pop(row.pk, None)
            address = seen.address or row.address
            if row.drain_ms is None and (row.state != InstanceState.READY or address != row.address):
                self._note(row, InstanceState.READY, message="", address=address)
        else:
            self._silent(row)
        if row.state == InstanceState.STARTING or _now(row) - row.log_wanted_ms < self._logs.WANTED_MS:
            self._logs.read_on(row, self._target(row))

    def _silent(self, row: Instance) -> None:
        """It is there and does not answer."""
        if row.state == InstanceState.STARTING:
            if _now(row) - row.started_ms > START_LIMIT_MS:
                self._give_up(row, f"It did not answer within {START_LIMIT_MS // 60_000} minutes.")
            return
        since = self._silent_since.setdefault(row.pk, self._clock())
        silent = self._clock() - since
        if silent >= HANGS_SECONDS and row.drain_ms is None:
            self._give_up(row, f"It hangs: it did not answer its health check for {HANGS_SECONDS:.0f} seconds.")
        elif silent >= UNHEALTHY_SECONDS and row.state == InstanceState.READY:
            self._note(row, InstanceState.UNHEALTHY, message="It does not answer its health check.")

    def _give_up(self, row: Instance, why: str) -> None:
        self._why.setdefault(row.pk, why)
        self._end(row, _HANG_GRACE)

    def _end(self, row: Instance, grace: float) -> None:
        """Ask it to end, and once more where it did not."""
        asked = self._ending.get(row.pk)
        if asked is None or self._clock() - asked > grace + 10:
            self._ending[row.pk] = self._clock()
            self._errands.send(f"end {row.pk}", partial(self._target(row).end, row.handle, grace))

    def _gone(self, row: Instance, seen: Observation) -> None:
        target = self._target(row)
        tail = self._logs.last(row, target)
        why = row.message if row.drain_ms is not None else self._why.get(row.pk) or seen.message
        message = why if row.drain_ms is not None and why else ended_words(why, seen.exit_code, tail)
        self._ended(row, message, seen.exit_code)
        tried(f"clear up after instance {row.pk}", partial(target.forget, row.handle))

    def _ended(self, row: Instance, message: str, code: int | None = None) -> None:
        instances.note_ended(system_actor(), host=self.host, instance=row, message=message, exit_code=code)
        self.rows.pop(row.pk, None)

    def _note(self, row: Instance, state: InstanceState, **facts: Any) -> None:
        instances.note_seen(system_actor(), host=self.host, instance=row, state=state, **facts)

    def _tell_memory(self) -> None:
        if self._clock() - self._told_memory < MEMORY_SECONDS:
            return
        self._told_memory = self._clock()
        rows = dict(self.rows)
        used = {pk: size for pk, size in list(self._memory.items()) if pk in rows and _differs(rows[pk], size)}
        if used:
            instances.note_memory(system_actor(), host=self.host, used=used)

    def _end_strays(self) -> None:
        for kind in sorted({*self.targets} & {*self.host.targets}):
            target = self.targets[kind]
            tried(f"look for strays of {kind}", partial(_end_each, target, self._known(kind)))

    def _known(self, kind: str) -> Iterator[int]:
        """Whatever has no row is nobody's. Asked when somebody goes through it, so after what is there was looked at;
        nothing is begun meanwhile."""
        yield from self._starter.busy()
        yield from Instance.objects.alive().filter(target=kind).values_list("pk", flat=True)

    def _target(self, row: Instance) -> Target:
        return self.targets[row.target]


def _end_each(target: Target, known: Iterable[int]) -> None:
    for handle in target.strays(known):
        logger.warning("ending what nobody knows: %s", handle)
        target.end(handle, 0)
        target.forget(handle)


def _now(row: Instance) -> int:
    """The database's clock when the row was read."""
    now: int = getattr(row, "now", 0)
    return now


def _differs(row: Instance, size: int) -> bool:
    return row.memory_bytes is None or abs(size - row.memory_bytes) > row.memory_bytes // 20
