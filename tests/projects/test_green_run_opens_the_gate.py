"""The whole way: a schedule starts a run, the run ends green, and with it a version enters Production."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from apps.core.actor import system_actor
from apps.core.errors import Conflict
from apps.projects import actions as projects
from apps.projects.asking.submission import Submission
from apps.projects.models import RunState, Schedule
from apps.registry import actions
from apps.registry.models import ModelVersion, PromotionRequest
from tests.personas import People
from tests.projects.making import end, make_project
from tests.registry.promotion.making import PRODUCTION, make_model, make_version, set_policy, stage_of

MADE = datetime(2026, 12, 3, 12, 0, tzinfo=UTC)
NIGHTS = [datetime(2026, 12, day, 3, 0, tzinfo=UTC) for day in (4, 5)]


def nightly_check(people: People, version: ModelVersion) -> Schedule:
    asks = Submission(entry_point="check", params={"model": version.model.name, "version": str(version.number)})
    plan = projects.Plan(name="nightly", cron="0 3 * * *", asks=asks)
    made = projects.create_schedule(people.ben.actor, project=make_project(people.ada, "checks"), plan=plan)
    Schedule.objects.filter(pk=made.pk).update(last_due_ms=int(MADE.timestamp() * 1000))
    return made


def test_a_nightly_check_lets_a_version_enter_production(
    people: People, django_capture_on_commit_callbacks: Any
) -> None:
    set_policy(people, gates=({"kind": "project_run", "params": {"project": "checks", "entry_point": "check"}},))
    version = make_version(people.ada, make_model(people.ada))
    schedule = nightly_check(people, version)
    request = actions.ask(people.ada.actor, version=version, slot=PRODUCTION, comment="The new one.")
    states = []
    for night, ending in zip(NIGHTS, (RunState.FAILED, RunState.FINISHED), strict=True):
        with pytest.raises(Conflict, match="gate"):
            actions.approve_request(people.max.actor, request=request, comment="Fine.")
        with django_capture_on_commit_callbacks(execute=True):
            run = projects.fire_schedule(system_actor(), schedule_id=schedule.pk, now=night)
            assert run is not None
            end(run, ending)
        states.append(PromotionRequest.objects.get(pk=request.pk).gates.get().state)
    assert states == ["failed", "passed"]
    actions.approve_request(people.max.actor, request=request, comment="Fine.")
    assert stage_of(version) == "Production"
