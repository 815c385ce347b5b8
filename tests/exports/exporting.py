"""`slipway export` as it is typed, on the test's own database."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from apps.experiments.models import Dataset, Experiment, LoggedModel, Run
from apps.registry.models import RegisteredModel


def export(*arguments: object, team: str = "forge") -> str:
    """What it tells. Fails with all that it said where something was left out."""
    out, beside = io.StringIO(), io.StringIO()
    try:
        call_command("export", *map(str, arguments), "--team", team, stdout=out, stderr=beside)
    except CommandError as error:
        raise AssertionError(f"{error}\n{out.getvalue()}\n{beside.getvalue()}") from error
    return out.getvalue()


def fails(*arguments: object, team: str = "forge") -> tuple[int, str, str]:
    """Its exit code, its one line, and what it said before."""
    out, beside = io.StringIO(), io.StringIO()
    with pytest.raises(CommandError) as raised:
        call_command("export", *map(str, arguments), "--team", team, stdout=out, stderr=beside)
    line = str(raised.value)
    assert "\n" not in line
    return raised.value.returncode, line, beside.getvalue()


def forget_all() -> None:
    """As if nothing had ever been tracked here."""
    RegisteredModel.objects.all().delete()
    LoggedModel.objects.all().delete()
    Dataset.objects.all().delete()
    Run.objects.all().delete()
    Experiment.objects.exclude(name="Default").delete()
