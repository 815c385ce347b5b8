"""From one revision to another while both run, and back."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from apps.audit.models import Event
from apps.deployments import actions
from apps.deployments.models import Deployment, Instance, InstanceState, Revision, RevisionState
from apps.notifications.models import Notification
from apps.registry.models import ModelVersion
from tests.deployments.supervision.conftest import Yard, fresh, wanted, weights


def state_of(revision: Revision) -> str:
    return Revision.objects.values_list("state", flat=True).get(pk=revision.pk)


def test_the_old_one_serves_until_the_new_one_is_ready_then_stays_warm_then_rests(yard: Yard) -> None:
    deployment = yard.serving(keep_warm_s=60)
    first = wanted(deployment)
    yard.target.starts = lambda fake: setattr(fake, "is_ready", False)
    second = yard.change(deployment)
    yard.pass_time(20)
    assert weights(deployment) == {1: 100} and state_of(second) == RevisionState.STARTING
    (fake,) = yard.fakes(second)
    fake.is_ready = True
    yard.pass_time(3)
    assert weights(deployment) == {2: 100}
    assert (state_of(first), len(yard.fakes(first))) == (RevisionState.READY, 1), "warm"
    yard.pass_time(70)
    assert (state_of(first), yard.fakes(first)) == (RevisionState.STOPPED, [])
    yard.settle()
    assert len(yard.target.alive()) == 1


def test_back_to_a_warm_one_is_at_once(yard: Yard) -> None:
    deployment = yard.serving()
    yard.change(deployment)
    yard.settle()
    before = Instance.objects.count()
    actions.roll_back(yard.people.ada.actor, deployment=fresh(deployment))
    assert weights(deployment) == {1: 100}, "without waiting for a supervisor"
    yard.settle()
    assert Instance.objects.count() == before and wanted(deployment).number == 1


def test_back_to_one_that_rests_starts_it_first(yard: Yard) -> None:
    deployment = yard.serving(keep_warm_s=0)
    first = wanted(deployment)
    yard.change(deployment)
    yard.settle()
    assert state_of(first) == RevisionState.STOPPED
    actions.roll_back(yard.people.ada.actor, deployment=fresh(deployment))
    assert weights(deployment) == {2: 100}
    yard.settle()
    assert weights(deployment) == {1: 100} and state_of(first) == RevisionState.READY


def test_back_to_one_whose_rest_begins_never_sends_traffic_to_what_ends(yard: Yard) -> None:
    deployment = yard.serving(keep_warm_s=5)
    first = wanted(deployment)
    yard.change(deployment)
    yard.settle()
    yard.clock.go_on(10)
    yard.leader.seek()
    yard.leader.tick()
    assert Instance.objects.filter(revision=first).get().state in (InstanceState.DRAINING, InstanceState.ENDED)
    actions.roll_back(yard.people.ada.actor, deployment=fresh(deployment))
    assert weights(deployment) == {2: 100}
    yard.settle()
    assert weights(deployment) == {1: 100}


def test_one_that_does_not_come_up_leaves_the_old_one_serving(yard: Yard) -> None:
    deployment = yard.serving()

    yard.target.starts = lambda fake: yard.target.die(
        fake.spec.instance, 3, log="Traceback\n[slipway] The model can't be loaded: ImportError: no lightgbm\n"
    )
    second = yard.change(deployment)
    yard.pass_time(40)
    second.refresh_from_db()
    assert second.state == RevisionState.FAILED
    assert second.message.startswith("It ended 5 times in a row. The model can't be loaded: ImportError: no lightgbm")
    assert "Traceback" in second.message
    assert weights(deployment) == {1: 100} and len(yard.target.alive()) == 1
    assert Event.objects.filter(code="deployment.revision_failed").count() == 1
    assert Notification.objects.filter(topic="deployment.failed", user=yard.people.ada.user).count() == 1
    failed = Instance.objects.filter(revision=second).order_by("pk")
    assert [each.failures for each in failed] == [0, 1, 2, 3, 4]
    gaps = [(b.started_ms - (a.ended_ms or 0)) // 1000 for a, b in pairwise(failed)]
    assert gaps == sorted(gaps) and gaps[-1] >= 4, "each try waits longer than the last"


def test_one_whose_version_leaves_the_stage_on_its_way_gets_no_traffic(yard: Yard) -> None:
    """Another one that is promoted archives it: nobody is asked whether something is about to serve it."""
    deployment = yard.serving()
    yard.target.starts = lambda fake: setattr(fake, "is_ready", False)
    second = yard.change(deployment)
    Deployment.objects.update(stages=["Production"])
    ModelVersion.objects.filter(number=second.version_number).update(stage="Archived")
    yard.pass_time(5)
    (fake,) = yard.fakes(second)
    fake.is_ready = True
    yard.settle()
    second.refresh_from_db()
    assert (second.state, weights(deployment)) == (RevisionState.FAILED, {1: 100})
    assert second.message == "Its version is not allowed here any more: it left the stage."


def test_a_warm_one_whose_version_left_the_stage_gets_no_traffic_either(yard: Yard) -> None:
    deployment = yard.serving()
    second = yard.change(deployment, canary=True)
    yard.settle()
    Deployment.objects.update(stages=["Production"], wanted=second)
    ModelVersion.objects.filter(number=second.version_number).update(stage="Archived")
    yard.settle()
    second.refresh_from_db()
    assert (second.state, weights(deployment)) == (RevisionState.FAILED, {1: 100})
    assert second.message == "Its version is not allowed here any more: it left the stage."


def test_one_that_failed_is_tried_again_when_asked(yard: Yard) -> None:
    deployment = yard.serving()
    yard.target.starts = lambda fake: yard.target.die(fake.spec.instance)
    second = yard.change(deployment)
    yard.pass_time(40)
    yard.target.starts = lambda fake: None
    second.refresh_from_db()
    actions.retry_revision(yard.people.ada.actor, deployment=fresh(deployment), revision=second)
    yard.settle()
    assert weights(deployment) == {2: 100}
    assert Instance.objects.alive().get(revision=second).failures == 0, "counted from the new beginning"


def test_one_that_never_answers_fails_after_the_limit(yard: Yard) -> None:
    deployment = yard.serving()
    yard.target.starts = lambda fake: setattr(fake, "is_ready", False)
    second = yard.change(deployment)
    yard.pass_time(660, 10)
    second.refresh_from_db()
    assert (second.state, second.message.splitlines()[0]) == (
        RevisionState.FAILED,
        "It did not answer within 10 minutes.",
    )
    assert weights(deployment) == {1: 100} and len(yard.target.alive()) == 1


def test_making_its_environment_may_take_longer_than_the_limit(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare = yard.target.prepare

    def slowly(*given: Any) -> None:
        yard.clock.go_on(15 * 60)
        prepare(*given)

    monkeypatch.setattr(yard.target, "prepare", slowly)
    yard.target.starts = lambda fake: setattr(fake, "is_ready", False)
    deployment = yard.deploy()
    yard.pass_time(60)
    assert wanted(deployment).state == RevisionState.STARTING
    (fake,) = yard.fakes(wanted(deployment))
    fake.is_ready = True
    yard.settle()
    assert weights(deployment) == {1: 100}


def test_the_first_one_that_fails_serves_nothing_and_says_so(yard: Yard) -> None:
    yard.target.starts = lambda fake: yard.target.die(fake.spec.instance, 1, "The memory limit of 64 MB was reached.")
    deployment = yard.deploy(memory_mb=64)
    yard.pass_time(40)
    revision = wanted(deployment)
    assert revision.state == RevisionState.FAILED and "The memory limit of 64 MB was reached." in revision.message
    assert not weights(deployment) and not yard.target.alive()


def test_a_newer_wish_takes_the_place_of_one_that_was_not_ready(yard: Yard) -> None:
    deployment = yard.serving()
    yard.target.starts = lambda fake: setattr(fake, "is_ready", False)
    second = yard.change(deployment)
    yard.pass_time(5)
    yard.target.starts = lambda fake: None
    yard.change(deployment)
    yard.settle()
    assert weights(deployment) == {3: 100}
    assert (state_of(second), yard.fakes(second)) == (RevisionState.STOPPED, [])


def test_a_canary_is_made_ready_and_waits(yard: Yard) -> None:
    deployment = yard.serving()
    canary = yard.change(deployment, canary=True)
    yard.settle()
    assert state_of(canary) == RevisionState.READY and weights(deployment) == {1: 100}
    yard.pass_time(700, 10)
    assert len(yard.fakes(canary)) == 1
    ada = yard.people.ada.actor
    actions.shift_traffic(ada, deployment=fresh(deployment), weights={1: 75, 2: 25})
    yard.settle()
    assert weights(deployment) == {1: 75, 2: 25}, "nobody takes the steps back"
    actions.shift_traffic(ada, deployment=fresh(deployment), weights={2: 100})
    yard.settle()
    assert weights(deployment) == {2: 100} and wanted(deployment).pk == canary.pk


def test_a_canary_that_is_ended_rests_at_once(yard: Yard) -> None:
    deployment = yard.serving()
    canary = yard.change(deployment, canary=True)
    yard.settle()
    ada = yard.people.ada.actor
    actions.shift_traffic(ada, deployment=fresh(deployment), weights={1: 50, 2: 50})
    actions.end_canary(ada, deployment=fresh(deployment), revision=canary)
    yard.settle()
    assert weights(deployment) == {1: 100}
    assert (state_of(canary), yard.fakes(canary)) == (RevisionState.STOPPED, [])


def test_a_canary_that_dies_gets_no_traffic_until_it_is_back(yard: Yard) -> None:
    deployment = yard.serving()
    canary = yard.change(deployment, canary=True)
    yard.settle()
    yard.target.starts = lambda fake: setattr(fake, "is_ready", False)
    yard.target.die(yard.fakes(canary)[0].spec.instance)
    yard.pass_time(3)
    assert state_of(canary) == RevisionState.STARTING
    (fake,) = yard.fakes(canary)
    fake.is_ready = True
    yard.settle()
    assert state_of(canary) == RevisionState.READY


def test_thirty_changes_and_ways_back_always_send_traffic_to_what_is_ready(yard: Yard) -> None:
    deployment = yard.serving(keep_warm_s=0)
    version = yard.version()
    for number in range(30):
        if number % 2:
            actions.roll_back(yard.people.ada.actor, deployment=fresh(deployment))
        else:
            actions.deploy_version(yard.people.ada.actor, deployment=fresh(deployment), version=version)
        for _ in range(12):
            yard.turn()
            (routed,) = weights(deployment)
            ready = Instance.objects.filter(revision__number=routed, state=InstanceState.READY)
            assert ready.exists(), f"traffic goes to revision {routed}, of which nothing answers"
    assert len(yard.target.alive()) == 1
