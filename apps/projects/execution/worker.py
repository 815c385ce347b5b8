"""The worker of this process: its slots, and the heart that says it lives."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version

from django.conf import settings
from django.db import DatabaseError, close_old_connections

from apps.core.actor import Actor, system_actor
from apps.projects import actions
from apps.projects.actions import Fenced, Held
from apps.projects.execution.runner import Runner
from apps.projects.models import DEFAULT_QUEUE, ProjectRun, Worker
from apps.projects.waking import heard, wake

logger = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
# Who couldn't say for so long that it lives kills what it runs: before the lease ends, and somebody else begins.
CUT_OFF_SECONDS = 20.0


class RunWorker:
    """Takes runs from some queues, `concurrency` at once."""

    def __init__(self, queues: Sequence[str], concurrency: int) -> None:
        self.queues, self.concurrency = tuple(queues), concurrency
        self._slots = threading.BoundedSemaphore(concurrency)
        self._runners: dict[Held, Runner] = {}
        self._row: Worker | None = None
        self._lock = threading.Lock()
        self.is_stopping = False

    def work(self, actor: Actor, queue: str) -> int:
        """Run what waits until nothing does; how many. Nothing where all slots are taken: they look again."""
        heard(queue)
        count = 0
        while not self.is_stopping and self._slots.acquire(blocking=False):
            try:
                if not self._run_next(actor):
                    break
                count += 1
            finally:
                self._slots.release()
        return count

    def _run_next(self, actor: Actor) -> bool:
        row = self._registered(actor)
        if row.is_draining:
            return False
        run = actions.claim_run(actor, worker=row, queues=self.queues)
        if run is None:
            return False
        # Another slot, or another worker, looks whether there is more.
        wake(run.queue)
        self._run(actor, run)
        return True

    def _run(self, actor: Actor, run: ProjectRun) -> None:
        held = Held(run.pk, run.fence)
        runner = Runner(actor, run)
        with self._lock:
            self._runners[held] = runner
        try:
            runner.run()
        except Fenced as error:
            logger.warning("%s", error)
        finally:
            with self._lock:
                del self._runners[held]

    def _registered(self, actor: Actor) -> Worker:
        with self._lock:
            if self._row is None:
                self._row = self._register(actor)
                threading.Thread(target=self._beat, name="heart", daemon=True).start()
            return self._row

    def _register(self, actor: Actor) -> Worker:
        host, pid = socket.gethostname(), os.getpid()
        return actions.register_worker(
            actor,
            name=f"{host}-{pid}-{time.time_ns() // 1_000_000:x}",
            host=host,
            pid=pid,
            queues=self.queues,
            concurrency=self.concurrency,
            abilities={},
            version=version("slipway"),
        )

    def _beat(self) -> None:
        """For as long as the process lives."""
        last = time.monotonic()
        while True:
            time.sleep(BEAT_SECONDS)
            try:
                self._beat_once()
                last = time.monotonic()
            except DatabaseError as error:
                logger.warning("the worker can't say that it lives: %s", error)
                close_old_connections()
            if time.monotonic() - last > CUT_OFF_SECONDS:
                self._kill_all()

    def _beat_once(self) -> None:
        actor = system_actor()
        with self._lock:
            mine = dict(self._runners)
        row = self._registered(actor)
        still = actions.beat(actor, worker=row, held=mine)
        for held, runner in mine.items():
            if held not in still:
                runner.kill("it is somebody else's")
            elif still[held] is not None:
                runner.cancel()

    def _kill_all(self) -> None:
        with self._lock:
            mine = list(self._runners.values())
        for runner in mine:
            runner.kill("the database is away")


@cache
def this_worker() -> RunWorker:
    """The worker of this process, as the settings have it."""
    return RunWorker(settings.WORKER_QUEUES or [DEFAULT_QUEUE], settings.WORKER_CONCURRENCY)
