"""What a worker runs: claimed, followed, and let go of in a way that says why."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from enum import StrEnum

from django.db import close_old_connections

from apps.core.actor import Actor
from apps.core.context import current_context, entered
from apps.projects import actions
from apps.projects.actions import Ending, Fenced, Held
from apps.projects.execution.insisting import insist
from apps.projects.execution.runner import Runner
from apps.projects.models import ProjectRun, RunState, Worker

logger = logging.getLogger(__name__)

AGAIN_SECONDS = 10.0


class Why(StrEnum):
    """Why a worker killed what it ran."""

    TAKEN = "it is somebody else's"
    CUT_OFF = "its worker could not reach the database"
    STOPPED = "its worker was stopped"


class Followed:
    """A run of this worker, and why it was killed where it was."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.why: Why | None = None
        self._killing: threading.Thread | None = None
        self._asked_at = -AGAIN_SECONDS

    def cancel(self) -> None:
        """Let it end as somebody asked. Once in a while: who didn't hear is asked again."""
        if time.monotonic() - self._asked_at >= AGAIN_SECONDS:
            self._asked_at = time.monotonic()
            _apart(self.runner.cancel)

    def kill(self, why: Why) -> None:
        """End it, and write nothing. May be said until it is gone: it may just have begun."""
        self.why = self.why or why
        if self._killing is None or not self._killing.is_alive():
            self._killing = _apart(lambda: self.runner.kill(why.value))


def _apart(end: Callable[[], None]) -> threading.Thread:
    """In a thread of its own: one that takes long to die must not keep the heart from beating for the others."""
    thread = threading.Thread(target=end, name="slipway end", daemon=True)
    thread.start()
    return thread


class Slots:
    """The runs of a worker. Slots wait for a bell: a ring lets one of them look, and what it finds rings the next."""

    def __init__(self, queues: Sequence[str], is_cut_off: Callable[[], bool]) -> None:
        self.queues = tuple(queues)
        self.row: Worker | None = None
        self._is_cut_off = is_cut_off
        self._followed: dict[Held, Followed] = {}
        self._bell = threading.Condition()
        # Once at the start, nobody rings.
        self._rings, self._waiting, self._working, self._closed = 1, 0, 0, False
        self._claiming = threading.Lock()

    def serve(self, row: Worker) -> None:
        """Take runs for this worker from now on."""
        self.row = row
        self.ring()

    def ring(self) -> None:
        """Let a slot look, now or when one is free."""
        with self._bell:
            self._rings += 1
            self._bell.notify()

    def wait(self) -> bool:
        """Until somebody rings; False once there is nothing to do any more."""
        with self._bell:
            self._waiting += 1
            self._bell.wait_for(lambda: self._rings or self._closed)
            self._waiting -= 1
            self._rings = 0
            return not self._closed

    def are_free(self) -> bool:
        """Whether a slot has nothing to do."""
        return self._waiting > 0

    def are_closed(self) -> bool:
        """Whether the worker is at its end: nothing runs and nothing will."""
        return self._closed and not self._working

    def work(self, actor: Actor) -> int:
        """Do what waits until nothing does; how many that were."""
        count = 0
        while self._do_next(actor):
            count += 1
            close_old_connections()
        return count

    def held(self) -> Collection[Held]:
        """What is claimed and not let go of yet."""
        with self._bell:
            return list(self._followed)

    def keep(self, still: Iterable[Held], *, of: Iterable[Held]) -> None:
        """Kill what is not the worker's any more."""
        gone = set(of) - set(still)
        self._kill(gone, Why.TAKEN)

    def cancel(self, asked: Iterable[Held]) -> None:
        """End what somebody asked to cancel."""
        for one in self._of(asked):
            one.cancel()

    def cut_off(self) -> None:
        """Kill all, before somebody else begins with it."""
        self._kill(self.held(), Why.CUT_OFF)

    def close(self) -> None:
        """Take nothing new, and kill what runs."""
        with self._bell:
            self._closed = True
            self._bell.notify_all()
        self._kill(self.held(), Why.STOPPED)

    def wait_for_end(self, seconds: float) -> bool:
        """Whether what was killed has ended and is written down, at the latest after some seconds."""
        with self._bell:
            return self._bell.wait_for(lambda: not self._working, seconds)

    def _do_next(self, actor: Actor) -> bool:
        run, runner = self._claimed(actor)
        if run is None or runner is None:
            return False
        # There may be more for another slot.
        self.ring()
        try:
            with entered(replace(current_context(), project_run=run.pk)):
                self._follow(actor, run, runner)
        finally:
            with self._bell:
                del self._followed[Held(run.pk, run.fence)]
                self._working -= 1
                self._bell.notify_all()
        return True

    def _claimed(self, actor: Actor) -> tuple[ProjectRun | None, Runner | None]:
        """One slot after the other, so that no device is given twice."""
        with self._claiming:
            if self.row is None or self._closed or self._is_cut_off():
                return None, None
            run = actions.claim_run(actor, worker=self.row, queues=self.queues, free_gpus=self._free_gpus(self.row))
            if run is None:
                return None, None
            runner = Runner(actor, run)
            with self._bell:
                self._followed[Held(run.pk, run.fence)] = Followed(runner)
                self._working += 1
        return run, runner

    def _free_gpus(self, row: Worker) -> list[str]:
        with self._bell:
            taken = {device for one in self._followed.values() for device in one.runner.run_row.gpu_ids}
        return [str(device) for device in row.abilities.get("gpus", ()) if str(device) not in taken]

    def _follow(self, actor: Actor, run: ProjectRun, runner: Runner) -> None:
        try:
            refused = actions.refusal_of(run)
            if refused:
                insist(lambda: actions.end_attempt(actor, run=run, ending=Ending(RunState.FAILED, refused)), str(run))
            else:
                runner.run()
        except Fenced as error:
            logger.warning("%s: %s", run, error)
            self._let_go(actor, run)
        except Exception:
            logger.exception("%s failed in the worker", run)
            self._end(actor, run, Ending(RunState.LOST, "The worker failed; its log says why."))

    def _let_go(self, actor: Actor, run: ProjectRun) -> None:
        """Say what became of a run that was killed here, so that nobody has to wait for its lease to end."""
        with self._bell:
            why = self._followed[Held(run.pk, run.fence)].why
        if why is Why.CUT_OFF:
            self._end(actor, run, Ending(RunState.LOST, f"The worker {run.worker_name} could not reach the database."))
        if why is Why.STOPPED:
            said = f"The worker {run.worker_name} was stopped."
            self._said(lambda: actions.return_run(actor, run=run, why=said), run)

    def _end(self, actor: Actor, run: ProjectRun, ending: Ending) -> None:
        self._said(lambda: actions.end_attempt(actor, run=run, ending=ending), run)

    @staticmethod
    def _said(write: Callable[[], None], run: ProjectRun) -> None:
        try:
            insist(write, str(run))
        except Fenced as error:
            logger.warning("%s", error)

    def _kill(self, which: Iterable[Held], why: Why) -> None:
        for one in self._of(which):
            one.kill(why)

    def _of(self, which: Iterable[Held]) -> list[Followed]:
        with self._bell:
            return [self._followed[held] for held in which if held in self._followed]
