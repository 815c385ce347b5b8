from __future__ import annotations

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.projects.models import Project, ProjectRun, RunState, Schedule
from apps.projects.selectors.logs import chunks_of
from tests.registry.test_seed_models import seed


@pytest.mark.django_db
def test_projects_with_runs_and_logs_made_once() -> None:
    assert "Queued 4 projects, 10 runs, 3 schedules." in seed()
    assert not Project.objects.exclude(read_error="").exists()
    assert all(project.document["entry_points"] for project in Project.objects.all() if project.document)
    states = set(ProjectRun.objects.values_list("state", flat=True))
    assert states == {RunState.QUEUED, RunState.FINISHED, RunState.FAILED, RunState.CANCELLED, RunState.LOST}
    for run in ProjectRun.objects.exclude(state=RunState.QUEUED):
        log = b"".join(chunks_of(run.pk, 0))
        assert len(log) == run.log_bytes > 0 and log.count(b"\n") == run.log_lines
        assert run.queued_ms < (run.started_ms or 0) < (run.ended_ms or 0)
        assert run.lease_until_ms is None
    assert set(ProjectRun.objects.filter(state=RunState.QUEUED).values_list("queue", flat=True)) == {"gpu"}
    assert Schedule.objects.filter(is_paused=False).count() == 0
    browser = Client()
    backend = "allauth.account.auth_backends.AuthenticationBackend"
    browser.force_login(User.objects.get(username="marco"), backend=backend)
    assert browser.get("/projects/finance/credit-scorecard/").status_code == 200
    assert "Queued 0 projects, 0 runs, 0 schedules." in seed()
    assert ProjectRun.objects.count() == 10
