"""What was done to its end is not done again because its worker died before it could write that down."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apps.projects import actions
from apps.projects.execution.receipts import receipt_of, redeem_receipts
from apps.projects.execution.rooms import clean_rooms, room_of
from apps.projects.models import ProjectRun, RunState
from apps.runtime.base import Work
from apps.runtime.limits import Limits
from apps.runtime.process import Host, Processes
from apps.runtime.process.identity import this_process
from tests.personas import People
from tests.projects.making import make_project, make_run
from tests.projects.queue.making import SYSTEM, fresh, make_worker, silence, started


@pytest.mark.parametrize(("command", "code"), [("true", "0"), ("exit 3", "3")])
def test_a_command_that_ends_of_itself_leaves_its_code(command: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    work = Work(command, tmp_path / "work", {}, Limits(), receipt=tmp_path / "receipt")
    running = Processes(Host(), tmp_path).start(work)
    assert running.wait() == int(code)
    running.close()
    assert (tmp_path / "receipt").read_text() == code


def test_one_that_is_ended_leaves_none(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    command = "trap 'exit 0' TERM; echo up; while true; do sleep 0.1; done"
    running = Processes(Host(), tmp_path).start(
        Work(command, tmp_path / "work", {}, Limits(), receipt=tmp_path / "receipt")
    )
    assert next(running.output()) == b"up\n"
    running.kill(8)
    assert running.wait() == 0
    running.close()
    assert not (tmp_path / "receipt").exists()


@pytest.mark.parametrize(("command", "receipt"), [("echo up; sleep 0.3", "0"), ("echo up; sleep 300; true", None)])
def test_who_is_about_to_end_when_the_worker_dies_may(command: str, receipt: str | None, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    running = Processes(Host(), tmp_path).start(
        Work(command, tmp_path / "work", {}, Limits(), receipt=tmp_path / "receipt")
    )
    assert next(running.output()) == b"up\n"
    stdin = running.child.guardian.stdin
    assert stdin is not None
    stdin.close()
    assert running.wait(30) == (0 if receipt else -signal.SIGTERM)
    running.close()
    assert (tmp_path / "receipt").exists() == bool(receipt)


@pytest.fixture
def held(people: People, tmp_path: Path, settings: Any) -> ProjectRun:
    settings.DATA = type("Data", (), {"runs": tmp_path / "runs"})()
    make_run(people.ada, make_project(people.ada), retries=1)
    return started(make_worker())


@pytest.fixture
def gone() -> int:
    """The process id of somebody who died."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def left(run: ProjectRun, process: int | str, code: str, fence: int = 0) -> Path:
    ours = receipt_of(run)
    path = ours.with_name(f"{socket.gethostname()}~{process}~{run.pk}~{fence or run.fence}")
    path.write_text(code)
    return path


@pytest.mark.django_db
@pytest.mark.parametrize("is_believed_lost", [False, True])
@pytest.mark.parametrize("has_its_number", [False, True])
def test_who_lives_finishes_for_who_died(
    is_believed_lost: bool, has_its_number: bool, held: ProjectRun, gone: int
) -> None:
    path = left(held, f"{os.getpid()}.1" if has_its_number else gone, "0")
    if is_believed_lost:
        silence(held)
        assert actions.end_lost_runs(SYSTEM) == 1
    assert redeem_receipts(SYSTEM) == 1
    row = fresh(held)
    assert (row.state, row.exit_code, path.exists()) == (RunState.FINISHED, 0, False)
    assert "had finished when its worker died" in row.message
    assert redeem_receipts(SYSTEM) == 0


@pytest.mark.django_db
def test_who_was_cancelled_has_not_finished(held: ProjectRun, gone: int) -> None:
    ProjectRun.objects.filter(pk=held.pk).update(cancel_ms=1)
    left(held, gone, "0")
    assert redeem_receipts(SYSTEM) == 0
    assert fresh(held).state == RunState.RUNNING


@pytest.mark.django_db
@pytest.mark.parametrize(
    "leave",
    [
        lambda run, gone: left(run, gone, "3"),
        lambda run, gone: left(run, gone, "0", fence=run.fence + 1),
        lambda run, gone: left(run, gone, ""),
        lambda run, gone: left(run, os.getpid(), "0"),
        lambda run, gone: left(run, this_process(), "0"),
    ],
    ids=["failed", "of another attempt", "empty", "of a worker before this version", "of a worker that lives"],
)
def test_others_change_nothing(leave: Callable[[ProjectRun, int], Path], held: ProjectRun, gone: int) -> None:
    leave(held, gone)
    assert redeem_receipts(SYSTEM) == 0
    assert fresh(held).state == RunState.RUNNING


@pytest.mark.django_db
def test_rooms_of_workers_that_died_are_removed(held: ProjectRun, gone: int) -> None:
    with room_of(held) as room:
        mine = room.name.replace(this_process(), "{}", 1)
        names = [mine.format(gone), mine.format(f"{os.getpid()}.1"), f"more-{mine.format(gone)}", mine.format("no")]
        for name in names:
            (room.parent / name / "work").mkdir(parents=True)
            os.utime(room.parent / name, (1, 1))
        os.utime(room, (1, 1))
        assert clean_rooms() == 2
        assert {each.name for each in room.parent.iterdir()} == {room.name, *names[2:]}
    assert clean_rooms() == 0
