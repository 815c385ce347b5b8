"""The log of a real child, from its pipe to the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from apps.projects.execution.runner import Runner
from apps.projects.models import ProjectRun, RunState
from tests.projects.execution.conftest import Execute, execute, queued
from tests.projects.execution.running import outcome_of, project, script
from tests.projects.queue.making import SYSTEM

__all__ = ["execute", "queued"]
pytestmark = pytest.mark.django_db
MIB = 1024 * 1024


@pytest.fixture(autouse=True)
def _separate_process(settings: Any) -> None:
    settings.PROJECT_ISOLATION = "process"


def test_bars_broken_bytes_and_the_unfinished_end(execute: Execute) -> None:
    done = execute(project(r"printf '\r10%%\r100%%\n\377 caf\303\251\nno end'"))
    assert done.lines == ["100%", "\ufffd café", "no end"]
    assert (done.run.log_lines, done.run.tail) == (3, "")


def test_a_token_is_not_shown(execute: Execute) -> None:
    done = execute(script("import os; print('it is', os.environ['MLFLOW_TRACKING_TOKEN'])"))
    assert done.lines == ["it is ***"]


def test_a_flood_ends_at_the_limit_and_the_run_as_it_would(execute: Execute, settings: Any) -> None:
    settings.PROJECT_LOG_BYTES = MIB
    done = execute(project("yes a line of a program that says too much | head -c 50000000; exit 7"))
    assert (done.run.state, done.run.exit_code, done.run.log_cut) == (RunState.FAILED, 7, True)
    limit, code, count = done.lines[-3:]
    assert limit == "[slipway] The log has reached its limit of 1 MB; what comes after is not kept."
    assert code == "[slipway] The command ended with 7."
    assert count.endswith(" bytes more came and were not kept.")
    assert MIB - 100 < done.run.log_bytes < MIB + 500


def test_another_attempt_goes_on_in_the_same_log(queued: Callable[..., ProjectRun]) -> None:
    run = queued(project("echo once"))
    Runner(SYSTEM, run).run()
    again = {"state": RunState.PREPARING, "attempt": 2, "fence": run.fence + 1, "lease_until_ms": 1, "ended_ms": None}
    ProjectRun.objects.filter(pk=run.pk).update(**again)
    Runner(SYSTEM, ProjectRun.objects.select_related("team", "run", "project", "archive").get(pk=run.pk)).run()
    assert outcome_of(run).lines == ["once", f"[slipway] Attempt 2, on {run.worker_name}.", "once"]
