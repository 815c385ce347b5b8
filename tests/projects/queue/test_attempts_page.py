from __future__ import annotations

import pytest

from apps.projects import actions
from apps.projects.models import RunState
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
