"""A worker with all its threads. They need a database that several connections may write, so PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import OperationalError, connection

from apps.projects import actions
from apps.projects.execution import worker as module
from apps.projects.execution.slots import Why
from apps.projects.execution.worker import RunWorker
from apps.projects.models import Attempt, Outcome, ProjectRun, Queue, RunState, Worker
from tests.personas import People
from tests.projects.making import make_project, make_run
from tests.projects.queue.making import SYSTEM, fresh
from tests.projects.queue.runners import Script
from tests.waiting import until

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="an in-memory SQLite has one writer at a time"),
    pytest.mark.django_db(transaction=True),
]
Opened = Callable[..., RunWorker]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    return Script().install(monkeypatch)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, script: Script) -> Iterator[Opened]:
    """Opens workers whose hearts beat fast, and ends them."""
    for name, seconds in (("BEAT", 0.05), ("LOOK", 0.02), ("SCOUT", 0.05), ("LOST", 0.1), ("CUT_OFF", 10.0)):
        monkeypatch.setattr(module, f"{name}_SECONDS", seconds)
    made: list[RunWorker] = []

    def make(concurrency: int = 1, *queues: str) -> RunWorker:
        worker = RunWorker(queues or ["default"], concurrency)
        made.append(worker)
        worker.open()
        until(lambda: worker.slots.row)
        return worker

    yield make
    monkeypatch.undo()
    script.let_end.set()
    for worker in made:
        worker.stop()
        worker.join(20)
        until(worker.slots.are_closed)
    until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("slipway ")])


def states(*runs: ProjectRun) -> list[str]:
    return [fresh(run).state for run in runs]


def test_it_says_that_it_is_there_before_anything_waits(people: People, opened: Opened) -> None:
    opened(3, "default", "gpu")
    row = Worker.objects.get()
    assert (row.queues, row.concurrency, row.stopped_ms) == (["default", "gpu"], 3, None)


def test_it_finds_what_waits_although_no_message_came(people: People, opened: Opened, script: Script) -> None:
    project = make_project(people.ada)
    opened(2)
    runs = [make_run(people.ada, project) for _ in range(3)]
    until(lambda: len(script.began) == 2)
    assert sorted(states(*runs)) == ["queued", "running", "running"]
    script.let_end.set()
    until(lambda: states(*runs) == ["finished"] * 3)
    assert sorted(script.done) == [run.pk for run in runs]


def test_a_ring_is_heard_by_as_many_slots_as_there_is_work(
    people: People, opened: Opened, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = opened(3)
    monkeypatch.setattr(actions, "is_something_waiting", lambda queues: False)
    until(worker.slots.are_free)
    project = make_project(people.ada)
    for _ in range(3):
        make_run(people.ada, project)
    worker.look()
    until(lambda: len(script.began) == 3)


def test_what_is_cancelled_is_ended(people: People, opened: Opened, script: Script) -> None:
    run = make_run(people.ada, make_project(people.ada))
    opened()
    until(lambda: script.began)
    actions.cancel_run(people.ada.actor, run=run)
    until(lambda: states(run) == ["cancelled"])
    assert script.cancelled == [run.pk], "it is asked once"


def test_what_is_another_s_by_now_is_killed_and_nothing_is_written(
    people: People, opened: Opened, script: Script
) -> None:
    run = make_run(people.ada, make_project(people.ada))
    opened()
    until(lambda: script.began)
    ProjectRun.objects.filter(pk=run.pk).update(fence=7)
    until(lambda: script.killed)
    assert script.killed[0] == (run.pk, Why.TAKEN.value)
    assert (fresh(run).state, fresh(run).fence) == (RunState.RUNNING, 7)


def test_stopped_by_plan_it_puts_its_runs_back_at_once(people: People, opened: Opened, script: Script) -> None:
    project = make_project(people.ada)
    runs = [make_run(people.ada, project) for _ in range(2)]
    worker = opened(2)
    until(lambda: len(script.began) == 2)
    worker.stop()
    worker.join(20)
    assert states(*runs) == ["queued", "queued"]
    assert set(Attempt.objects.values_list("outcome", "number")) == {(Outcome.RETURNED, 1)}
    assert {fresh(run).attempt for run in runs} == {0}
    assert Worker.objects.get().stopped_ms is not None
    second = opened(2)
    until(lambda: len(script.began) == 4)
    assert {fresh(run).worker for run in runs} == {second.slots.row}


def test_while_it_drains_it_ends_what_it_has_and_takes_nothing_new(
    people: People, opened: Opened, script: Script
) -> None:
    project = make_project(people.ada)
    first = make_run(people.ada, project)
    worker = opened(1)
    until(lambda: script.began)
    second = make_run(people.ada, project)
    Worker.objects.update(is_draining=True)
    until(lambda: worker.slots.row and worker.slots.row.is_draining)
    script.let_end.set()
    until(lambda: states(first) == ["finished"])
    until(worker.slots.are_free)
    assert states(second) == ["queued"]
    Worker.objects.update(is_draining=False)
    until(lambda: states(second) == ["finished"])


class Outage:
    """The database, as this worker's heart finds it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.beat = actions.beat
        self.is_on = threading.Event()
        self.hangs = False
        self.over = threading.Event()
        monkeypatch.setattr(actions, "beat", self._beat)

    def _beat(self, *args: object, **kwargs: object) -> object:
        if self.is_on.is_set():
            if self.hangs:
                self.over.wait()
            else:
                raise OperationalError("the database is away")
        return self.beat(*args, **kwargs)  # type: ignore[arg-type]


@pytest.mark.parametrize("hangs", [False, True])
def test_cut_off_from_the_database_it_kills_before_its_lease_ends(
    people: People, opened: Opened, script: Script, monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    outage = Outage(monkeypatch)
    run = make_run(people.ada, make_project(people.ada), retries=1)
    worker = opened()
    until(lambda: script.began)
    outage.hangs = hangs
    outage.is_on.set()
    monkeypatch.setattr(module, "CUT_OFF_SECONDS", 0.2)
    until(lambda: script.killed)
    assert script.killed[0] == (run.pk, Why.CUT_OFF.value)
    # Others hear of it as soon as the database does, and need not wait for the lease.
    until(lambda: states(run) == ["queued"])
    assert Attempt.objects.get().message.endswith("could not reach the database.")
    ProjectRun.objects.update(not_before_ms=0)
    until(worker.is_cut_off)
    assert script.began == [run.pk], "while it is cut off it takes nothing"
    monkeypatch.setattr(module, "CUT_OFF_SECONDS", 10.0)
    outage.is_on.clear()
    outage.over.set()
    until(lambda: len(script.began) == 2)


def test_an_outage_that_is_short_costs_nothing(
    people: People, opened: Opened, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    outage = Outage(monkeypatch)
    run = make_run(people.ada, make_project(people.ada))
    worker = opened()
    until(lambda: script.began)
    outage.is_on.set()
    missed = worker._beaten
    script.let_end.set()
    until(lambda: states(run) == ["finished"])
    outage.is_on.clear()
    until(lambda: worker._beaten > missed)
    assert not script.killed


def test_a_worker_whose_row_was_forgotten_begins_anew(people: People, opened: Opened, script: Script) -> None:
    make_run(people.ada, make_project(people.ada))
    worker = opened()
    until(lambda: script.began)
    first = worker.slots.row
    Worker.objects.all().delete()
    until(lambda: worker.slots.row != first)
    until(lambda: script.killed)


def test_a_fault_in_the_worker_ends_the_run_and_the_worker_goes_on(
    people: People, opened: Opened, script: Script
) -> None:
    project = make_project(people.ada)
    run = make_run(people.ada, project)
    script.fault = RuntimeError("a fault that the test makes")
    opened()
    until(lambda: states(run) == ["lost"])
    assert fresh(run).message == "The worker failed; its log says why."
    script.fault = None
    script.let_end.set()
    after = make_run(people.ada, project)
    until(lambda: states(after) == ["finished"])


def test_what_may_not_begin_any_more_fails_and_says_why(people: People, opened: Opened, script: Script) -> None:
    run = make_run(people.ada, make_project(people.ada), retries=3)
    people.ada.user.is_active = False
    people.ada.user.save()
    opened()
    until(lambda: states(run) == ["failed"])
    assert fresh(run).message == "ada, whose run it is, is disabled."
    assert not script.began


def test_it_ends_what_another_worker_lost(people: People, opened: Opened) -> None:
    run = make_run(people.ada, make_project(people.ada))
    other = actions.register_worker(
        SYSTEM, name="x", host="x", pid=1, queues=["default"], concurrency=1, abilities={}, version=""
    )
    assert actions.claim_run(SYSTEM, worker=other, queues=["default"]) is not None
    ProjectRun.objects.update(lease_until_ms=1)
    opened()
    until(lambda: states(run) == ["lost"])


def test_no_device_is_given_to_two_runs(people: People, opened: Opened, script: Script) -> None:
    worker = opened(4)
    assert worker.slots.row is not None
    worker.slots.row.abilities = {"gpus": ["0", "1", "2"]}
    project = make_project(people.ada)
    runs = [make_run(people.ada, project, gpus=count) for count in (2, 1, 1)]
    worker.look()
    until(lambda: len(script.began) == 2)
    given = [fresh(run).gpu_ids for run in runs]
    assert sorted(given[0] + given[1]) == ["0", "1", "2"]
    assert states(runs[2]) == ["queued"]
    script.let_end.set()
    until(lambda: states(*runs) == ["finished"] * 3)


def test_what_limits_hold_back_is_taken_when_there_is_room(people: People, opened: Opened, script: Script) -> None:
    project = make_project(people.ada)
    Queue.objects.update(max_running=1)
    runs = [make_run(people.ada, project) for _ in range(2)]
    opened(2)
    until(lambda: script.began)
    assert states(*runs) == ["running", "queued"]
    script.let_end.set()
    until(lambda: states(*runs) == ["finished"] * 2)
