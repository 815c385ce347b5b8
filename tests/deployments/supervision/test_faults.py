"""Instances that die, hang and come back; supervisors that do."""

from __future__ import annotations

import pytest
from django.db import OperationalError

from apps.core.errors import InvalidInput
from apps.deployments import actions
from apps.deployments.actions import leading
from apps.deployments.actions.leading import Deposed
from apps.deployments.models import Instance, InstanceState, Revision, RevisionState, ServingHost
from apps.deployments.supervision.planning import wait_ms
from apps.notifications.models import Notification
from tests.deployments.supervision.conftest import SYSTEM, Yard, fresh, make_agent, wanted, weights
from tests.deployments.supervision.fake import Fake


def only(revision: Revision) -> Instance:
    return Instance.objects.alive().get(revision=revision)


def test_one_that_dies_is_replaced_at_once(yard: Yard) -> None:
    deployment = yard.serving()
    dead = only(wanted(deployment))
    yard.target.die(dead.pk, -9, log="last words\n")
    yard.turn(0.3)
    yard.turn(0.3)
    dead.refresh_from_db()
    assert (dead.state, dead.exit_code) == (InstanceState.ENDED, -9)
    assert dead.message == "It was ended by SIGKILL.\nlast words"
    assert dead.pk in yard.target.forgotten
    new = only(wanted(deployment))
    assert (new.slot, new.failures) == (0, 1)
    yard.settle()
    assert only(wanted(deployment)).state == InstanceState.READY and weights(deployment) == {1: 100}
    assert wanted(deployment).message == ""


def test_waits_grow_to_a_minute() -> None:
    assert [wait_ms(failures) // 1000 for failures in range(10)] == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60]


def test_what_serves_is_never_given_up_and_tried_more_and_more_seldom(yard: Yard) -> None:
    deployment = yard.serving()
    yard.target.starts = lambda fake: yard.target.die(fake.spec.instance, 1, "Out of luck.")
    yard.target.die(only(wanted(deployment)).pk)
    yard.pass_time(300)
    revision = wanted(deployment)
    assert revision.state == RevisionState.READY and "times in a row" in revision.message
    assert "Out of luck." in revision.message
    assert 8 <= Instance.objects.count() <= 14
    told = Notification.objects.filter(topic="deployment.failed", user=yard.people.ada.user)
    assert ["keeps ending" in each.text for each in told] == [True]
    yard.target.starts = lambda fake: None
    yard.pass_time(70)
    assert only(revision).state == InstanceState.READY
    assert weights(deployment) == {1: 100} and wanted(deployment).message == ""


def test_a_minute_of_being_well_wipes_the_slate(yard: Yard) -> None:
    deployment = yard.serving()
    for expected in (1, 2, 3):
        yard.target.die(only(wanted(deployment)).pk)
        yard.pass_time(10)
        assert only(wanted(deployment)).failures == expected
    yard.pass_time(70, 5)
    yard.target.die(only(wanted(deployment)).pk)
    yard.pass_time(3)
    assert only(wanted(deployment)).failures == 1


def test_one_of_several_dies_and_the_others_go_on(yard: Yard) -> None:
    deployment = yard.serving(instances=3)
    second = Instance.objects.get(slot=1)
    yard.target.die(second.pk)
    yard.settle()
    assert sorted(Instance.objects.alive().values_list("slot", flat=True)) == [0, 1, 2]
    assert Instance.objects.count() == 4 and weights(deployment) == {1: 100}


def test_one_that_hangs_is_taken_out_and_then_replaced(yard: Yard) -> None:
    deployment = yard.serving()
    hung = only(wanted(deployment))
    yard.target.entries[hung.pk].is_ready = False
    yard.pass_time(5)
    hung.refresh_from_db()
    assert hung.state == InstanceState.UNHEALTHY
    yard.pass_time(8)
    hung.refresh_from_db()
    assert hung.state == InstanceState.ENDED and hung.message.startswith("It hangs")
    yard.settle()
    assert only(wanted(deployment)).failures == 1


def test_one_that_answers_again_stays(yard: Yard) -> None:
    deployment = yard.serving()
    slow = only(wanted(deployment))
    yard.target.entries[slow.pk].is_ready = False
    yard.pass_time(6)
    yard.target.entries[slow.pk].is_ready = True
    yard.pass_time(20)
    assert only(wanted(deployment)).pk == slow.pk
    slow.refresh_from_db()
    assert slow.state == InstanceState.READY


def test_one_that_does_not_end_is_asked_again(yard: Yard) -> None:
    deployment = yard.serving()
    stubborn = yard.target.entries[only(wanted(deployment)).pk]
    stubborn.is_stubborn = True
    actions.stop_deployment(yard.people.ada.actor, deployment=fresh(deployment))
    yard.pass_time(50)
    assert len(stubborn.graces) == 2
    stubborn.is_alive = False
    yard.settle()
    assert not Instance.objects.alive().exists()


def test_what_can_not_be_started_says_why(yard: Yard) -> None:
    yard.target.fault = InvalidInput("python_env.yaml: line 3: no such version.")
    deployment = yard.deploy()
    yard.pass_time(40)
    assert "python_env.yaml: line 3" in wanted(deployment).message
    assert wanted(deployment).state == RevisionState.FAILED


def test_another_supervisor_adopts_what_runs(yard: Yard) -> None:
    deployment = yard.serving(instances=2)
    before = set(Instance.objects.alive().values_list("pk", flat=True))
    yard.agent = make_agent(yard.clock, yard.target, yard.folder, "mill")
    yard.settle()
    assert set(Instance.objects.alive().values_list("pk", flat=True)) == before
    assert set(yard.target.alive()) == before and weights(deployment) == {1: 100}


def test_one_that_was_killed_while_it_started_something_finds_it(yard: Yard) -> None:
    deployment = yard.serving()
    instance = only(wanted(deployment))
    # What it had not written yet.
    Instance.objects.filter(pk=instance.pk).update(handle={}, address="", state=InstanceState.STARTING, ready_ms=None)
    yard.agent = make_agent(yard.clock, yard.target, yard.folder, "mill")
    yard.settle()
    assert only(wanted(deployment)).pk == instance.pk and yard.target.alive() == [instance.pk]


def test_what_nobody_knows_is_ended(yard: Yard) -> None:
    deployment = yard.serving()
    known = only(wanted(deployment))
    yard.target.entries[4711] = Fake(yard.target.entries[known.pk].spec)
    yard.agent = make_agent(yard.clock, yard.target, yard.folder, "mill")
    yard.agent.tick()
    assert 4711 in yard.target.forgotten and known.pk not in yard.target.forgotten


def test_the_one_before_writes_nothing_any_more(yard: Yard) -> None:
    deployment = yard.serving()
    old = yard.agent
    yard.agent = make_agent(yard.clock, yard.target, yard.folder, "mill")
    yard.target.die(only(wanted(deployment)).pk)
    with pytest.raises(Deposed):
        for _ in range(5):
            yard.clock.go_on(1)
            old.tick()
    assert only(wanted(deployment)).state == InstanceState.READY


def test_without_a_database_instances_are_looked_after(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.serving()
    before = yard.target.observations

    def away(*args: object, **more: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("apps.deployments.supervision.agent.Instance.objects.alive", away)
    with pytest.raises(OperationalError):
        yard.agent.tick()
    assert yard.target.observations == before + 1
    assert len(yard.target.alive()) == 1


def test_a_host_that_stops_ends_what_it_has_and_that_is_no_failure(yard: Yard) -> None:
    deployment = yard.serving(instances=2)
    leading.stop_host(SYSTEM, host=yard.agent.host)
    yard.agent.end_all(5)
    assert not yard.target.alive() and not Instance.objects.alive().exists()
    yard.agent = make_agent(yard.clock, yard.target, yard.folder, "mill")
    yard.settle()
    started = Instance.objects.alive()
    assert [each.failures for each in started] == [0, 0] and weights(deployment) == {1: 100}


def test_a_host_that_stops_is_no_host_that_is_gone(yard: Yard) -> None:
    """Another one takes over at once, and what is in flight there is answered still."""
    other = yard.another_host("loft")
    deployment = yard.serving(instances=2)
    leaving = Instance.objects.get(host="loft")
    yard.target.entries[leaving.pk].is_stubborn = True
    leading.stop_host(SYSTEM, host=other.host)
    yard.settle()
    of_both = Instance.objects.alive().filter(revision=wanted(deployment)).order_by("host", "pk")
    assert [each.host for each in of_both] == ["loft", "mill", "mill"]
    other.end_all(0.2)
    leaving.refresh_from_db()
    assert (leaving.ended_ms, leaving.state, leaving.message) == (None, "draining", "Its host was stopped.")
    yard.target.die(leaving.pk, 0)
    other.end_all(5)
    leaving.refresh_from_db()
    assert (leaving.state, leaving.message) == ("ended", "Its host was stopped.")


def test_a_host_that_stops_hands_over_before_it_ends_what_it_has(yard: Yard) -> None:
    other = yard.another_host("loft")
    deployment = yard.serving(instances=2)
    answering: list[int] = []

    def pause(seconds: float) -> None:
        yard.turn()
        answering.append(Instance.objects.alive().filter(state=InstanceState.READY).count())

    leading.stop_host(SYSTEM, host=other.host)
    other.hand_over(20, pause)
    assert len(answering) < 10 and min(answering) >= 2
    of_both = Instance.objects.alive().filter(revision=wanted(deployment), state=InstanceState.READY)
    assert sorted(of_both.values_list("host", flat=True)) == ["loft", "mill", "mill"]
    other.end_all(5)
    assert yard.target.alive() == list(Instance.objects.filter(host="mill").values_list("pk", flat=True))


def test_who_could_hand_over_to_nobody_does_not_wait(yard: Yard) -> None:
    yard.another_host("loft")
    yard.serving()
    ServingHost.objects.filter(name="loft").update(targets=["docker"])
    leading.stop_host(SYSTEM, host=yard.agent.host)
    yard.agent.hand_over(20, lambda _: pytest.fail("it waits"))


def test_who_is_not_followed_in_time_ends_all_the_same(yard: Yard) -> None:
    other = yard.another_host("loft")
    yard.serving(instances=2)
    leading.stop_host(SYSTEM, host=other.host)
    begun = yard.clock.seconds()
    other.hand_over(20, lambda seconds: yard.clock.go_on(seconds))
    assert 20 <= yard.clock.seconds() - begun < 21


def test_instances_are_spread_over_hosts(yard: Yard) -> None:
    yard.another_host("oak")
    yard.serving(instances=4)
    assert sorted(Instance.objects.values_list("host", flat=True)) == ["mill", "mill", "oak", "oak"]


def test_what_a_silent_host_had_is_begun_elsewhere_and_ended_when_it_is_back(yard: Yard) -> None:
    oak = yard.another_host("oak")
    yard.serving(instances=2)
    yard.others.clear()
    yard.pass_time(30)
    assert Instance.objects.alive().filter(host="mill").count() == 2
    assert len(yard.target.alive()) == 3, "what goes on there is not touched"
    yard.others.append(oak)
    yard.settle()
    assert len(yard.target.alive()) == 2


def test_a_host_that_is_gone_is_given_up(yard: Yard) -> None:
    yard.another_host("oak")
    yard.serving(instances=2)
    yard.others.clear()
    yard.pass_time(13 * 60, 10)
    (lost,) = Instance.objects.filter(host="oak")
    assert (lost.state, lost.message) == (InstanceState.ENDED, "The host oak is gone.")


def test_no_host_for_a_target_is_said(yard: Yard) -> None:
    deployment = yard.deploy()
    ServingHost.objects.update(targets=["docker"])
    yard.settle()
    assert wanted(deployment).message == "No host that is alive offers the target process."
    ServingHost.objects.update(abilities={"targets": {"process": ["Processes are off here."]}})
    yard.settle()
    assert wanted(deployment).message.endswith("offers the target process. Processes are off here.")
