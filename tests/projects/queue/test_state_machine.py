"""Runs, workers and queues in any order, against a model that fits in one's head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from apps.audit.models import Event
from apps.core.errors import Conflict
from apps.projects import actions
from apps.projects.actions import Ending, Fenced, Held
from apps.projects.models import ACTIVE, Attempt, Project, ProjectRun, Queue, Quota, RunState, Worker
from tests.personas import People
from tests.projects.making import make_experiment, make_project, make_run
from tests.projects.queue.making import SYSTEM, make_worker, rested, silence

TRACKING = {
    "queued": "SCHEDULED",
    "preparing": "SCHEDULED",
    "running": "RUNNING",
    "finished": "FINISHED",
    "failed": "FAILED",
    "lost": "FAILED",
    "cancelled": "KILLED",
}
# Most of the time something may be taken.
SELDOM = st.sampled_from([False, False, False, True])


@dataclass
class Row:
    """What the model knows of a run. `tries`: attempts that count; `holder`: the worker that the row names."""

    pk: int
    priority: int
    retries: int
    retries_failures: bool
    state: str = "queued"
    tries: int = 0
    fence: int = 0
    holder: int | None = None
    cancelled: bool = False
    rests: bool = False
    silent: bool = False
    past: int = 0


class Queued(RuleBasedStateMachine):
    """Two workers, one queue, a limit on what runs. Handles are what workers believe to hold, stale ones too."""

    people: People
    project: Project

    @initialize(most=st.integers(2, 4), retries=st.integers(0, 2), failures=st.booleans())
    def begin(self, most: int, retries: int, failures: bool) -> None:
        self.block = transaction.atomic()
        self.block.__enter__()
        Quota.objects.create(team=self.people.forge, max_running=most)
        self.most, self.is_paused, self.draining = most, False, {0: False, 1: False}
        self.workers = [make_worker(), make_worker()]
        self.rows: list[Row] = []
        self.handles: list[ProjectRun] = []
        # What all else needs: runs that are held.
        for number in (0, 1):
            self.submit(1, retries, failures)
            self.claim(number)

    def teardown(self) -> None:
        if hasattr(self, "block"):
            transaction.set_rollback(True)
            self.block.__exit__(None, None, None)

    @rule(priority=st.integers(0, 2), retries=st.integers(0, 2), failures=st.booleans())
    def submit(self, priority: int, retries: int, failures: bool) -> None:
        run = make_run(self.people.ada, self.project, priority=priority, retries=retries, retries_failures=failures)
        self.rows.append(Row(run.pk, priority, retries, failures))

    @rule(number=st.integers(0, 1))
    def claim(self, number: int) -> None:
        worker = self.workers[number]
        run = actions.claim_run(SYSTEM, worker=worker, queues=["default"])
        wanted = self._next(number)
        assert (run.pk if run else None) == (wanted.pk if wanted else None)
        if run is not None and wanted is not None:
            wanted.state, wanted.holder, wanted.silent = "preparing", number, False
            wanted.tries, wanted.fence = wanted.tries + 1, wanted.fence + 1
            self.handles.append(run)

    @precondition(lambda self: self.handles)
    @rule(data=st.data())
    def start(self, data: Any) -> None:
        run, row = self._handle(data)
        with self._expecting(self._holds(run, row)):
            actions.start_run(SYSTEM, run=run)
        if self._holds(run, row):
            row.state = "running"

    @precondition(lambda self: self.handles)
    @rule(data=st.data(), state=st.sampled_from(["finished", "failed", "lost"]))
    def end(self, data: Any, state: str) -> None:
        run, row = self._handle(data)
        holds = self._holds(run, row)
        late = row.state == "queued" and row.fence == run.fence and row.tries > 0 and state == "finished"
        with self._expecting(holds or late):
            actions.end_attempt(SYSTEM, run=run, ending=Ending(RunState(state), "said"))
        if holds:
            self._model_end(row, state)
        elif late:
            row.state, row.rests, row.past = "finished", False, row.past - 1

    @precondition(lambda self: self.handles)
    @rule(data=st.data())
    def give_back(self, data: Any) -> None:
        run, row = self._handle(data)
        holds = self._holds(run, row)
        with self._expecting(holds):
            actions.return_run(SYSTEM, run=run, why="stopped")
        if holds and row.cancelled:
            self._close(row, "cancelled")
        elif holds:
            self._wait(row, rests=False)
            row.tries -= 1

    @precondition(lambda self: self.rows)
    @rule(data=st.data())
    def cancel(self, data: Any) -> None:
        row = data.draw(st.sampled_from(self.rows[-5:]))
        run = ProjectRun.objects.get(pk=row.pk)
        if row.state not in ACTIVE:
            with pytest.raises(Conflict):
                actions.cancel_run(self.people.max.actor, run=run)
            return
        actions.cancel_run(self.people.max.actor, run=run)
        row.cancelled = True
        if row.state == "queued":
            self._close(row, "cancelled")

    @precondition(lambda self: any(row.state in ("preparing", "running") for row in self.rows))
    @rule(data=st.data())
    def fall_silent(self, data: Any) -> None:
        row = data.draw(st.sampled_from([row for row in self.rows if row.state in ("preparing", "running")]))
        silence(ProjectRun(pk=row.pk))
        row.silent = True

    @rule(number=st.integers(0, 1))
    def beat(self, number: int) -> None:
        mine = [row for row in self.rows if row.state in ("preparing", "running") and row.holder == number]
        believed = {Held(run.pk, run.fence) for run in self.handles if run.worker_id == self.workers[number].pk}
        still = actions.beat(SYSTEM, worker=self.workers[number], held=believed)
        assert still is not None
        assert {held: asked is not None for held, asked in still.items()} == {
            Held(row.pk, row.fence): row.cancelled for row in mine
        }
        for row in mine:
            row.silent = False

    @rule()
    def sweep(self) -> None:
        actions.sweep_runs(SYSTEM)
        for row in self.rows:
            if row.silent and row.state in ("preparing", "running"):
                self._model_end(row, "lost")

    @precondition(lambda self: any(row.rests for row in self.rows))
    @rule(data=st.data())
    def rest_is_over(self, data: Any) -> None:
        row = data.draw(st.sampled_from([row for row in self.rows if row.rests]))
        rested(ProjectRun(pk=row.pk))
        row.rests = False

    @rule(paused=SELDOM)
    def pause(self, paused: bool) -> None:
        Queue.objects.update(is_paused=paused)
        self.is_paused = paused

    @rule(number=st.integers(0, 1), draining=SELDOM)
    def drain(self, number: int, draining: bool) -> None:
        Worker.objects.filter(pk=self.workers[number].pk).update(is_draining=draining)
        self.draining[number] = draining

    @invariant()
    def rows_are_what_the_model_says(self) -> None:
        for row in getattr(self, "rows", []):
            run = ProjectRun.objects.select_related("run").get(pk=row.pk)
            assert (run.state, run.attempt, run.fence) == (row.state, row.tries, row.fence)
            assert run.run is not None and run.run.status == TRACKING[row.state]
            assert (run.lease_until_ms is not None) == (row.state in ("preparing", "running"))
            assert Attempt.objects.filter(project_run=run).count() == row.past
            ended = Event.objects.filter(code="project_run.ended", object_id=str(row.pk)).count()
            assert ended == (row.state not in ACTIVE)

    def _next(self, number: int) -> Row | None:
        running = sum(row.state in ("preparing", "running") for row in self.rows)
        if self.is_paused or self.draining[number] or running >= self.most:
            return None
        ready = [row for row in self.rows if row.state == "queued" and not row.rests]
        return min(ready, key=lambda row: (-row.priority, row.pk), default=None)

    def _handle(self, data: Any) -> tuple[ProjectRun, Row]:
        run = data.draw(st.sampled_from(self.handles[-5:]))
        return run, next(row for row in self.rows if row.pk == run.pk)

    @staticmethod
    def _holds(run: ProjectRun, row: Row) -> bool:
        return row.state in ("preparing", "running") and row.fence == run.fence

    @staticmethod
    def _expecting(allowed: bool) -> Any:
        return transaction.atomic() if allowed else pytest.raises(Fenced)

    def _model_end(self, row: Row, state: str) -> None:
        failed = state in ("failed", "lost")
        if failed and row.cancelled:
            self._close(row, "cancelled")
        elif failed and row.tries <= row.retries and (state == "lost" or row.retries_failures):
            self._wait(row, rests=True)
        else:
            self._close(row, state)

    @staticmethod
    def _close(row: Row, state: str) -> None:
        row.state, row.rests = state, False

    @staticmethod
    def _wait(row: Row, *, rests: bool) -> None:
        row.state, row.rests, row.past, row.holder = "queued", rests, row.past + 1, None


@pytest.mark.django_db
def test_whatever_happens_runs_are_as_the_model_says(people: People) -> None:
    Queued.people, Queued.project = people, make_project(people.ada)
    make_experiment(people.ada, Queued.project.name)
    run_state_machine_as_test(
        Queued,
        settings=settings(
            max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
