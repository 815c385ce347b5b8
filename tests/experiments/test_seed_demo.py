from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from apps.accounts.models import Team, User
from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.folders import folder_of_run
from apps.experiments.models import Dataset, Experiment, Point, Run


def seed() -> str:
    out = StringIO()
    call_command("seed_demo", stdout=out)
    return out.getvalue()


def counts() -> list[int]:
    return [model.objects.count() for model in (Team, User, Experiment, Run, Point, Dataset)]


@pytest.mark.django_db
def test_three_teams_at_work_made_once() -> None:
    said = seed()
    assert set(Team.objects.values_list("name", flat=True)) >= {"finance", "health", "manufacturing"}
    assert Run.objects.count() > 60
    assert Point.objects.count() > 5_000
    assert set(Run.objects.values_list("status", flat=True)) >= {"RUNNING", "FINISHED", "FAILED", "KILLED"}
    assert Run.objects.exclude(parent_run_id="").exists()
    assert Run.objects.filter(deleted_ms__isnull=False).exists()
    folder = folder_of_run(Run.objects.get(name="resnet18"))
    assert {entry.path for entry in folder.list()} >= {"report.md", "plots", "tables", "summary.html"}
    assert folder.head(ArtifactPath.parse("plots/curves.png"), 4) == b"\x89PNG"
    assert Client().login(username="demo", password=said.split()[-1])

    # What is there stays as it is, also where people have changed it since.
    Experiment.objects.get(name="card-fraud").runs.all().delete()
    before = counts()
    assert "Made 0 teams, 0 people, 0 experiments, 0 runs." in seed()
    assert counts() == before
