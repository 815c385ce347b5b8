"""What is kept of a run's output while the database is away, and who stops it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError

from apps.projects import actions
from apps.projects.execution.runner import Runner
from apps.projects.models import RunState
from apps.runtime.folders import bytes_below
from apps.runtime.limits import Limits
from tests.projects.execution.conftest import Execute
from tests.projects.execution.running import project
from tests.waiting import until

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("level")
def test_a_database_that_is_away_for_a_while_costs_no_line(execute: Execute, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = actions.append_log, []

    def away(**piece: Any) -> None:
        calls.append(piece)
        if len(calls) < 4:
            raise OperationalError("away")
        real(**piece)

    monkeypatch.setattr(actions, "append_log", away)
    monkeypatch.setattr("apps.projects.execution.insisting.close_old_connections", lambda: None)
    done = execute(project("seq 1 5000"))
    assert done.run.state == RunState.FINISHED
    assert done.lines == [str(number) for number in range(1, 5001)]
    assert len(calls) >= 4


@pytest.mark.usefixtures("level")
def test_a_run_that_was_killed_for_its_worker_writes_nothing_more(execute: Execute) -> None:
    from tests.projects.execution.running import marked

    def kill(running: Runner) -> None:
        until(lambda: bool(marked("1006.5")))
        running.kill("it is somebody else's")

    with pytest.raises(actions.Fenced):
        execute(project("echo begun; sleep 1006.5"), meanwhile=kill)
    assert not marked("1006.5")


@pytest.mark.usefixtures("level")
def test_one_that_is_cancelled_before_it_begins_never_does(execute: Execute, monkeypatch: pytest.MonkeyPatch) -> None:
    from apps.projects.execution import plans, runner

    real = plans.plan_for

    def plan(preparation: Any) -> Any:
        found = real(preparation)
        running[0].cancel()
        return found

    running: list[Runner] = []
    made = Runner.__init__

    def remember(self: Runner, *arguments: Any) -> None:
        made(self, *arguments)
        running.append(self)

    monkeypatch.setattr(Runner, "__init__", remember)
    monkeypatch.setattr(runner, "plan_for", plan)
    done = execute(project("echo began"))
    assert done.run.state == RunState.CANCELLED and done.run.started_ms is None
    assert "began" not in done.log


def test_what_a_folder_takes_is_what_its_files_do(tmp_path: Any) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "file").write_bytes(b"x" * 100_000)
    (tmp_path / "link").symlink_to("/usr")
    assert 100_000 <= bytes_below(tmp_path) < 200_000


@pytest.mark.usefixtures("level")
def test_one_that_closes_its_output_is_held_to_its_limits(execute: Execute) -> None:
    done = execute(project("exec >/dev/null 2>&1; sleep 1008.5"), limits=Limits(seconds=1))
    assert (done.run.state, done.run.message) == (RunState.FAILED, "The time limit of 1 s was reached.")
