from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from apps.accounts.models import Team, User
from apps.experiments.models import Experiment, Point, Run


def seed() -> str:
    out = StringIO()
    call_command("seed_demo", stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_three_teams_at_work_and_a_password_that_works() -> None:
    said = seed()
    assert set(Team.objects.values_list("name", flat=True)) >= {"finance", "health", "manufacturing"}
    assert Run.objects.count() > 60
    assert Point.objects.count() > 5_000
    assert set(Run.objects.values_list("status", flat=True)) >= {"RUNNING", "FINISHED", "FAILED", "KILLED"}
    assert Run.objects.exclude(parent_run_id="").exists()
    assert Run.objects.filter(deleted_ms__isnull=False).exists()
    assert Client().login(username="demo", password=said.split()[-1])


@pytest.mark.django_db
def test_a_second_time_changes_nothing() -> None:
    seed()
    before = [model.objects.count() for model in (Team, User, Experiment, Run, Point)]
    assert "Made 0 teams, 0 people, 0 experiments, 0 runs." in seed()
    assert [model.objects.count() for model in (Team, User, Experiment, Run, Point)] == before


@pytest.mark.django_db
def test_what_is_there_under_these_names_stays() -> None:
    seed()
    experiment = Experiment.objects.get(name="card-fraud")
    experiment.runs.all().delete()
    seed()
    assert not experiment.runs.exists()
