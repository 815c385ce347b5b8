"""`slipway in_production`."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from apps.registry import actions
from apps.registry.models import Placement
from tests.personas import People
from tests.registry.promotion.making import make_model, make_version

NOON = 1_795_608_000_000  # 2026-11-25 12:00 UTC
HOUR = 3_600_000


@pytest.fixture(autouse=True)
def versions(people: People) -> None:
    """Version 1 came at noon, version 2 an hour later."""
    model = make_model(people.ada, "iris")
    for number in range(2):
        version = make_version(people.ada, model)
        actions.move_version(
            people.max.actor, version=version, stage="Production", archive_existing=True, comment=f"reason {number + 1}"
        )
    in_production = Placement.objects.filter(slot_name="Production")
    in_production.filter(number=1).update(from_ms=NOON, until_ms=NOON + HOUR)
    in_production.filter(number=2).update(from_ms=NOON + HOUR)


def run(*arguments: str) -> list[str]:
    out = io.StringIO()
    call_command("in_production", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_a_moment() -> None:
    assert run("iris", "--at", "2026-11-25T12:30Z") == [
        "Production of forge/iris on 2026-11-25T12:30Z:",
        "  version 1 since 2026-11-25 12:00:00 UTC until 2026-11-25 13:00:00 UTC, by max: reason 1",
    ]


def test_a_day_names_all_that_were_there() -> None:
    assert [line.split()[1] for line in run("forge/iris", "--at", "2026-11-25")[1:]] == ["2", "1"]
    assert run("forge/iris", "--at", "2026-11-24") == ["Nothing in Production of forge/iris on 2026-11-24."]


def test_now_and_other_slots() -> None:
    assert run("iris")[1] == "  version 2 since 2026-11-25 13:00:00 UTC, by max: reason 2"
    assert run("iris", "--stage", "archived")[1].startswith("  version 1 since")
    assert run("iris", "--alias", "champion") == ["Nothing in @champion of forge/iris now."]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none"], "name=none not found"),
        (["harbour/iris"], "name=iris not found"),
        (["iris", "--at", "yesterday"], "'yesterday' is no date"),
        (["iris", "--stage", "Prod"], "Invalid Model Version stage"),
    ],
)
def test_what_it_can_not_answer(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(*arguments)


def test_two_teams_with_one_name(people: People) -> None:
    make_model(people.cleo, "iris")
    with pytest.raises(CommandError, match="forge, harbour"):
        run("iris")
