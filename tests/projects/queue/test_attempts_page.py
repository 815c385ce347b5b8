from __future__ import annotations

import pytest

from apps.projects import actions
from apps.projects.models import RunState
from tests.api import call
from tests.personas import People
from tests.projects.making import make_project, make_run
from tests.projects.queue.making import SYSTEM, claimed, end, make_worker, rested, started

pytestmark = pytest.mark.django_db


def page(people: People, key: int) -> str:
    return people.ada.browser().get(f"/project-runs/{key}/").content.decode()


def test_the_page_of_a_run_tells_of_the_attempts_before(people: People) -> None:
    run = make_run(people.ada, make_project(people.ada), retries=1)
    first = started(make_worker())
    assert "Attempts before" not in page(people, run.pk)
    end(first, RunState.LOST, "the power went & came")
    assert "the power went &amp; came" in page(people, run.pk), "while it waits for the next"
    rested(run)
    actions.return_run(SYSTEM, run=claimed(make_worker()), why="The worker was stopped.")
    held = claimed(make_worker())
    text = page(people, run.pk)
    assert text.index("1. Lost") < text.index("2. Returned")
    assert held.attempt == 2


def test_the_api_tells_of_the_attempts_before(people: People) -> None:
    run = make_run(people.ada, make_project(people.ada), retries=1, retries_failures=True)
    assert call(people.ada, "GET", f"project-runs/{run.pk}/")["attempts"] == []
    first = started(make_worker())
    end(first, RunState.FAILED, "The command ended with 3.", 3)
    rested(run)
    held = started(make_worker())
    shown = call(people.ada, "GET", f"project-runs/{run.pk}/")
    told = [(each["number"], each["worker"], each["outcome"], each["exit_code"]) for each in shown["attempts"]]
    assert told == [(1, first.worker_name, "failed", 3)]
    assert (shown["attempt"], shown["worker"]) == (2, held.worker_name)
