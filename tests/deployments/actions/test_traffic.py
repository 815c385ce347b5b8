from __future__ import annotations

import pytest

from apps.core.errors import Conflict, InvalidInput
from apps.deployments import actions
from apps.deployments.models import Deployment, Revision, RevisionState, Route
from tests.deployments.actions.seeing import epoch, last_event, split
from tests.deployments.making import add_revision, fresh, make_ready
from tests.personas import People


@pytest.fixture
def canary(people: People, deployed: Deployment) -> Revision:
    """Ready, beside what is wanted, without traffic."""
    return make_ready(add_revision(people.ada, deployed, canary=True), weight=0)


def test_steps_of_a_canary(people: People, deployed: Deployment, canary: Revision) -> None:
    for weight in (5, 25, 50):
        before = epoch()
        actions.shift_traffic(people.ada.actor, deployment=deployed, weights={1: 100 - weight, 2: weight})
        assert split(deployed) == {1: 100 - weight, 2: weight} and epoch() > before
    event = last_event(deployed)
    assert (event.code, event.before, event.after) == (
        "deployment.traffic_shifted",
        {"weights": {"1": 75, "2": 25}},
        {"weights": {"1": 50, "2": 50}},
    )
    assert fresh(deployed).wanted_id != canary.pk


def test_the_last_step_settles_it(people: People, deployed: Deployment, canary: Revision) -> None:
    actions.shift_traffic(people.ada.actor, deployment=deployed, weights={1: 0, 2: 100})
    canary.refresh_from_db()
    assert fresh(deployed).wanted_id == canary.pk and not canary.is_canary and split(deployed) == {2: 100}
    first = Revision.objects.get(number=1)
    assert first.rests_ms is not None and first.rests_ms > first.created_ms


@pytest.mark.parametrize("weights", [{}, {1: 99}, {1: 60, 2: 60}, {1: 120, 2: -20}, {1: 0}, {3: 100}, {1: 50, 9: 50}])
def test_bad_weights(people: People, deployed: Deployment, canary: Revision, weights: dict[int, int]) -> None:
    with pytest.raises(InvalidInput):
        actions.shift_traffic(people.ada.actor, deployment=deployed, weights=weights)
    assert split(deployed) == {1: 100}


def test_no_traffic_to_what_is_not_ready(people: People, deployed: Deployment, canary: Revision) -> None:
    Revision.objects.filter(pk=canary.pk).update(state=RevisionState.STARTING)
    with pytest.raises(Conflict, match="not ready: starting"):
        actions.shift_traffic(people.ada.actor, deployment=deployed, weights={1: 50, 2: 50})
    assert split(deployed) == {1: 100}


def test_a_canary_is_ended(people: People, deployed: Deployment, canary: Revision) -> None:
    actions.shift_traffic(people.ada.actor, deployment=deployed, weights={1: 50, 2: 50})
    actions.end_canary(people.ada.actor, deployment=deployed, revision=canary, reason="Slower.")
    canary.refresh_from_db()
    assert split(deployed) == {1: 100} and not canary.is_canary and canary.rests_ms is not None
    assert last_event(deployed).note == "Slower."


def test_a_canary_is_ended_while_a_change_is_made(people: People, deployed: Deployment, canary: Revision) -> None:
    """What is wanted by then does not answer yet: its traffic comes when it does."""
    actions.shift_traffic(people.ada.actor, deployment=deployed, weights={1: 75, 2: 25})
    add_revision(people.ada, deployed)
    actions.end_canary(people.ada.actor, deployment=deployed, revision=canary)
    assert split(deployed) == {1: 100}


def test_one_of_two_canaries_is_ended(people: People, deployed: Deployment, canary: Revision) -> None:
    make_ready(add_revision(people.ada, deployed, canary=True), weight=0)
    actions.shift_traffic(people.ada.actor, deployment=deployed, weights={1: 70, 2: 10, 3: 20})
    actions.end_canary(people.ada.actor, deployment=deployed, revision=canary)
    assert split(deployed) == {1: 80, 3: 20}


def test_a_canary_that_alone_answers_goes_on(people: People, deployed: Deployment, canary: Revision) -> None:
    actions.shift_traffic(people.ada.actor, deployment=deployed, weights={1: 75, 2: 25})
    add_revision(people.ada, deployed)
    Route.objects.filter(revision__number=1).delete()
    with pytest.raises(Conflict, match="Nothing else of iris is ready"):
        actions.end_canary(people.ada.actor, deployment=deployed, revision=canary)
    assert split(deployed) == {2: 25}


def test_reasons_are_bounded_alike(people: People, deployed: Deployment, canary: Revision) -> None:
    ada, long = people.ada.actor, "x" * 1001
    for change in (
        lambda: actions.shift_traffic(ada, deployment=deployed, weights={1: 50, 2: 50}, reason=long),
        lambda: actions.end_canary(ada, deployment=deployed, revision=canary, reason=long),
        lambda: actions.stop_deployment(ada, deployment=deployed, reason=long),
        lambda: actions.roll_back(ada, deployment=deployed, reason=long),
        lambda: actions.dismiss_proposal(ada, deployment=deployed, reason=long),
    ):
        with pytest.raises(InvalidInput, match="A reason has at most 1000"):
            change()


def test_only_a_canary_is_ended(people: People, deployed: Deployment, canary: Revision) -> None:
    with pytest.raises(Conflict, match="no canary"):
        actions.end_canary(people.ada.actor, deployment=deployed, revision=Revision.objects.get(number=1))
    actions.end_canary(people.ada.actor, deployment=deployed, revision=canary)
    with pytest.raises(Conflict, match="no canary"):
        actions.end_canary(people.ada.actor, deployment=deployed, revision=canary)


def test_it_is_scaled(people: People, deployed: Deployment) -> None:
    before = epoch()
    actions.scale(people.ada.actor, deployment=deployed, instances=5)
    assert Revision.objects.get(number=1).instances_wanted == 5 and epoch() > before
    assert fresh(deployed).config == {"instances": 5}
    event = last_event(deployed)
    assert (event.code, event.before, event.after) == ("deployment.scaled", {"instances": 1}, {"instances": 5})
    assert add_revision(people.ada, deployed).instances_wanted == 5


@pytest.mark.parametrize("instances", [0, -1, 65, 10**9])
def test_bad_numbers_of_instances(people: People, deployed: Deployment, instances: int) -> None:
    with pytest.raises(InvalidInput):
        actions.scale(people.ada.actor, deployment=deployed, instances=instances)
    assert Revision.objects.get(number=1).instances_wanted == 1
