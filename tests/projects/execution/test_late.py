"""A worker that loses its runs while they end: what was done is not done again, what was not is not said to be."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from apps.projects.actions import Fenced
from apps.projects.execution.output import LogKeeper
from apps.projects.execution.runner import Runner
from apps.projects.models import Attempt, ProjectRun, RunState
from tests.projects.execution.running import project
from tests.projects.queue.making import SYSTEM, end, fresh
from tests.waiting import until

pytestmark = pytest.mark.django_db
Queued = Callable[..., ProjectRun]


def before_its_log_ends(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
    """Let something happen when the command has ended and the last of its log is about to be kept."""
    ends = LogKeeper.end

    def late(keeper: LogKeeper) -> None:
        happens()
        ends(keeper)

    monkeypatch.setattr(LogKeeper, "end", late)


def claimed_again(run: ProjectRun) -> None:
    ProjectRun.objects.filter(pk=run.pk).update(fence=run.fence + 1)


def test_killed_after_it_finished_it_has_finished(queued: Queued, monkeypatch: pytest.MonkeyPatch) -> None:
    run = queued(project("echo done"), retries=1)
    runner = Runner(SYSTEM, run)
    before_its_log_ends(monkeypatch, lambda: runner.kill("cut off"))
    runner.run()
    assert fresh(run).state == RunState.FINISHED


def test_killed_after_it_failed_it_is_let_go(queued: Queued, monkeypatch: pytest.MonkeyPatch) -> None:
    run = queued(project("exit 3"), retries=1)
    runner = Runner(SYSTEM, run)
    before_its_log_ends(monkeypatch, lambda: runner.kill("cut off"))
    with pytest.raises(Fenced, match="cut off"):
        runner.run()
    assert fresh(run).state == RunState.RUNNING


def test_finished_but_believed_lost_it_is_not_tried_again(queued: Queued, monkeypatch: pytest.MonkeyPatch) -> None:
    run = queued(project("echo done"), retries=1)
    runner = Runner(SYSTEM, run)
    before_its_log_ends(monkeypatch, lambda: end(ProjectRun.objects.get(pk=run.pk), RunState.LOST, "silent"))
    runner.run()
    assert fresh(run).state == RunState.FINISHED
    assert not Attempt.objects.exists()


def test_finished_after_its_next_attempt_began_it_is_nobody_s(queued: Queued, monkeypatch: pytest.MonkeyPatch) -> None:
    run = queued(project("echo done"), retries=1)
    before_its_log_ends(monkeypatch, lambda: claimed_again(run))
    with pytest.raises(Fenced):
        Runner(SYSTEM, run).run()
    assert (fresh(run).state, fresh(run).fence) == (RunState.RUNNING, 2)


def test_killed_while_it_goes_on_it_writes_nothing(execute: Callable[..., object], queued: Queued) -> None:
    killed: list[ProjectRun] = []

    def kill(runner: Runner) -> None:
        until(lambda: runner.run_row.state == RunState.RUNNING)
        killed.append(runner.run_row)
        runner.kill("cut off")

    with pytest.raises(Fenced, match="cut off"):
        execute(project("sleep 60"), meanwhile=kill)
    assert fresh(killed[0]).state == RunState.RUNNING
