from __future__ import annotations

import pytest

from apps.registry.models import Check, ModelVersion
from tests.personas import People, Persona
from tests.registry.gates.cases import gate, judge, make_version

WANTED = gate("check", name="tests", reporter="ben")


def report(who: Persona, version: ModelVersion, state: str, name: str = "tests") -> None:
    Check.objects.create(
        version=version, name=name, reporter=who.user, reporter_name=who.name, state=state, created_ms=1, updated_ms=2
    )


def test_it_waits_for_the_report(people: People) -> None:
    version = make_version(people.ada, people.forge)
    (result,) = judge(people.ada, version, WANTED)
    assert (result.state, result.text) == ("pending", "Waits for ben to report the check tests")


@pytest.mark.parametrize("state", ["pending", "passed", "failed"])
def test_it_says_what_was_reported(people: People, state: str) -> None:
    version = make_version(people.ada, people.forge)
    report(people.ben, version, state)
    assert judge(people.ada, version, WANTED)[0].state == state


def test_the_word_of_another_account_does_not_count(people: People) -> None:
    version = make_version(people.ada, people.forge)
    report(people.ada, version, "passed")
    report(people.ben, version, "passed", name="other")
    assert judge(people.ada, version, WANTED)[0].state == "pending"
