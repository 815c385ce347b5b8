"""What instances write comes to the database while it is of use, and the last of it stays."""

from __future__ import annotations

import pytest

from apps.deployments.actions.instances import LOG_BYTES, want_log
from apps.deployments.models import Instance, InstanceLog
from apps.deployments.supervision.words import ended_words
from tests.deployments.supervision.conftest import SYSTEM, Yard, make_agent


def text_of(instance: Instance) -> str:
    return "".join(InstanceLog.objects.filter(instance=instance).order_by("start").values_list("text", flat=True))


def test_all_comes_while_it_starts(yard: Yard) -> None:
    yard.target.starts = lambda fake: setattr(fake, "is_ready", False)
    yard.deploy()
    yard.pass_time(4)
    instance = Instance.objects.get()
    for line in ("loading\n", "still loading\n"):
        yard.target.entries[instance.pk].log += line
        yard.turn()
    assert text_of(instance) == "loading\nstill loading\n"


def test_nothing_comes_of_one_that_serves_until_somebody_asks_and_then_for_a_while(yard: Yard) -> None:
    yard.serving()
    instance = Instance.objects.get()
    fake = yard.target.entries[instance.pk]
    fake.log = "a\n"
    yard.pass_time(3)
    assert text_of(instance) == ""
    want_log(SYSTEM, instance=instance)
    yard.turn()
    assert text_of(instance) == "a\n"
    fake.log += "b\n"
    yard.turn()
    assert text_of(instance) == "a\nb\n"
    yard.pass_time(40)
    fake.log += "c\n"
    yard.pass_time(3)
    assert text_of(instance) == "a\nb\n"


def test_the_next_supervisor_goes_on_where_the_last_one_was(yard: Yard) -> None:
    yard.serving()
    instance = Instance.objects.get()
    fake = yard.target.entries[instance.pk]
    fake.log = "one\n"
    want_log(SYSTEM, instance=instance)
    yard.turn()
    yard.agent = make_agent(yard.clock, yard.target, yard.folder, "mill")
    fake.log += "two\n"
    yard.turn()
    assert text_of(instance) == "one\ntwo\n"


def test_one_that_writes_without_end_is_bounded(yard: Yard) -> None:
    yard.serving()
    instance = Instance.objects.get()
    fake = yard.target.entries[instance.pk]
    for number in range(8):
        fake.log += f"{number}" * 200_000
        want_log(SYSTEM, instance=instance)
        yard.turn()
    assert len(text_of(instance)) <= LOG_BYTES + 128 * 1024
    assert text_of(instance).endswith("7" * 1000)


def test_it_is_read_once_a_second_however_often_one_looks(yard: Yard) -> None:
    yard.serving()
    instance = Instance.objects.get()
    want_log(SYSTEM, instance=instance)
    for place in range(11):
        yard.target.entries[instance.pk].log += f"{place}\n"
        yard.turn(0.3)
    assert InstanceLog.objects.filter(instance=instance).count() == 3
    yard.turn()
    assert text_of(instance).endswith("9\n10\n")


def test_the_last_words_stay(yard: Yard) -> None:
    yard.serving()
    instance = Instance.objects.get()
    yard.target.die(instance.pk, 1, log="x\x00y\nlast\n")
    yard.pass_time(2)
    instance.refresh_from_db()
    assert text_of(instance) == "x y\nlast\n"
    assert instance.message == "It ended with exit code 1.\nx y\nlast"


@pytest.mark.parametrize(
    ("why", "code", "tail", "first"),
    [
        ("The memory limit of 64 MB was reached.", -9, "a\n", "The memory limit of 64 MB was reached."),
        ("", 3, "a\n[slipway] The model can't be loaded: KeyError: 'x'\n", "The model can't be loaded: KeyError: 'x'"),
        ("", -9, "", "It was ended by SIGKILL."),
        ("", -250, "", "It was ended by signal 250."),
        ("", 1, "[slipway] Listening\n", "It ended with exit code 1."),
        ("", None, "", "It ended, and nobody knows how."),
    ],
)
def test_the_first_line_says_why(why: str, code: int | None, tail: str, first: str) -> None:
    assert ended_words(why, code, tail).splitlines()[0] == first
