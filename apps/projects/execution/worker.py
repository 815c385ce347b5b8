"""The worker of this process: its slots, in which runs are done, and what takes care that they are its own.

Six kinds of threads, none of Celery's. A *slot* claims a run and follows it to its end. The *heart* says that the
worker lives, and hears what was cancelled or taken away. The *scout* looks for waiting runs, and for those that other
workers lost, whether a message came or not; another tidies up after those. The *watch* asks no database: it
kills what runs once the heart is late.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import version

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import close_old_connections

from apps.core.actor import Actor, system_actor
from apps.core.context import RequestContext, entered, new_request_id
from apps.projects import actions
from apps.projects.execution.containers import end_lost_containers
from apps.projects.execution.receipts import redeem_receipts
from apps.projects.execution.rooms import clean_rooms
from apps.projects.execution.slots import Slots
from apps.projects.models import DEFAULT_QUEUE, Worker
from apps.runtime.abilities import abilities, host

logger = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
LOOK_SECONDS = 1.0
SCOUT_SECONDS = 2.0
LOST_SECONDS = 10.0
# Who couldn't say for so long that it lives kills what it runs: before the lease of 30 s ends, and another begins.
CUT_OFF_SECONDS = 20.0


class RunWorker:
    """Takes runs from some queues, `concurrency` at once. `look`, `stop` and `join` come from any thread."""

    def __init__(self, queues: Sequence[str], concurrency: int) -> None:
        self.queues, self.concurrency = tuple(queues), concurrency
        self.slots = Slots(self.queues, self.is_cut_off)
        self._opening = threading.Lock()
        self._stopping = threading.Event()
        self._watch: threading.Thread | None = None
        self._beaten = time.monotonic()

    def open(self) -> None:
        """Begin. Twice is once."""
        with self._opening:
            if self._watch is not None:
                return
            self._watch = self._thread("watch", self._keep_watch)
        for number in range(self.concurrency):
            self._thread(f"slot {number}", self._fill)
        self._thread("heart", self._live)
        self._thread("scout", self._scout)
        self._thread("tidy", self._tidy)

    def look(self) -> None:
        """There may be something in a queue."""
        self.slots.ring()

    def stop(self) -> None:
        """Take nothing new, end what runs and put it back. Safe in a signal's handler: others do it."""
        self._stopping.set()

    def join(self, seconds: float = 8.0) -> None:
        """Wait until what `stop` asked for is done."""
        if self._watch is not None and self._stopping.is_set():
            self._watch.join(seconds)

    def is_cut_off(self) -> bool:
        """Whether nobody could be told for so long that this worker lives that its runs are about to be others'."""
        return time.monotonic() - self._beaten > CUT_OFF_SECONDS

    def register(self) -> Worker:
        """Say that it has started; what it claims from now on is its own. Without it nothing is taken."""
        host, pid = socket.gethostname(), os.getpid()
        row = actions.register_worker(
            system_actor(),
            name=f"{settings.WORKER_NAME or host}-{pid}-{time.time_ns() // 1_000_000:x}",
            host=host,
            pid=pid,
            queues=self.queues,
            concurrency=self.concurrency,
            abilities=abilities(),
            version=version("slipway"),
        )
        self._beaten = time.monotonic()
        self.slots.serve(row)
        return row

    def beat(self) -> None:
        """Say that it lives and goes on with its runs, and let go of those that it has no more."""
        began, row, mine = time.monotonic(), self.slots.row, self.slots.held()
        still = actions.beat(system_actor(), worker=row, held=mine) if row else None
        # The lease counts from when it was asked for, not from when the answer came.
        self._beaten = began if row else self._beaten
        if still is None:
            self.register()
        self.slots.keep(still or {}, of=mine)
        self.slots.cancel(one for one, asked_ms in (still or {}).items() if asked_ms is not None)

    def hear_cancels(self) -> None:
        """End the runs that somebody asked to cancel."""
        mine, row = self.slots.held(), self.slots.row
        if mine and row:
            self.slots.cancel(actions.asked_to_cancel(worker=row, held=mine))

    def _live(self) -> None:
        due = 0.0
        while not self.slots.are_closed():
            if time.monotonic() < due:
                self._tried("look for what was cancelled", self.hear_cancels)
            elif self._tried("beat", self.beat):
                due = time.monotonic() + BEAT_SECONDS
            time.sleep(LOOK_SECONDS)

    def _scout(self) -> None:
        due = time.monotonic() + LOST_SECONDS
        while not self._stopping.wait(SCOUT_SECONDS):
            if self.slots.are_free() and self._tried("look into its queues", self._ask):
                self.slots.ring()
            if time.monotonic() >= due:
                due = time.monotonic() + LOST_SECONDS
                # First what those finished: it is not to be done again.
                self._tried("redeem receipts", lambda: bool(redeem_receipts(system_actor())))
                self._tried("look for lost runs", lambda: bool(actions.end_lost_runs(system_actor())))

    def _tidy(self) -> None:
        """Receipts, containers, folders and control groups of this host's workers that died: they outlive them."""
        while not self._stopping.is_set():
            self._tried("end lost containers", lambda: bool(end_lost_containers()))
            self._tried("redeem receipts", lambda: bool(redeem_receipts(system_actor())))
            self._tried("remove lost folders", lambda: bool(clean_rooms()))
            self._tried("remove lost control groups", lambda: bool(host().cgroups.clean()))
            self._stopping.wait(LOST_SECONDS)

    def _ask(self) -> bool:
        return actions.is_something_waiting(self.queues)

    def _fill(self) -> None:
        """One slot, for as long as the worker goes on."""
        actor = system_actor()
        while self.slots.wait():
            self._tried("take a run", lambda: self._work(actor))

    def _work(self, actor: Actor) -> None:
        self.slots.work(actor)

    def _keep_watch(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            if self.is_cut_off():
                self.slots.cut_off()
        self.slots.close()
        while not self.slots.wait_for_end(LOOK_SECONDS):
            self.slots.close()
        self._tried("say that it has ended", self._say_goodbye)

    def _say_goodbye(self) -> None:
        if self.slots.row is not None:
            actions.stop_worker(system_actor(), worker=self.slots.row)

    def _tried(self, what: str, work: Callable[[], bool | None]) -> bool:
        """Whether it went well and did not say no. A thread outlives any fault: it is started once."""
        try:
            with entered(RequestContext(request_id=new_request_id())):
                return work() is not False
        except AnyDatabaseError as error:
            logger.warning("the worker can't %s: %s", what, error)
        except Exception:
            logger.exception("the worker failed to %s", what)
        finally:
            close_old_connections()
        return False

    def _thread(self, name: str, target: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=target, name=f"slipway {name}", daemon=True)
        thread.start()
        return thread


@cache
def this_worker() -> RunWorker:
    """The worker of this process, as the settings have it."""
    return RunWorker(settings.WORKER_QUEUES or [DEFAULT_QUEUE], settings.WORKER_CONCURRENCY)
