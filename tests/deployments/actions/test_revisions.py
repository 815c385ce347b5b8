from __future__ import annotations

import pytest

from apps.core.errors import Conflict, InvalidInput
from apps.deployments import actions
from apps.deployments.configuration import Config
from apps.deployments.models import Deployment, Revision, RevisionState
from apps.registry.models import ModelVersion
from tests.deployments.actions.seeing import epoch, last_event, split
from tests.deployments.making import add_revision, fail, fresh, make_ready, servable
from tests.personas import People


def numbers(deployment: Deployment) -> list[int]:
    return list(Revision.objects.filter(deployment=deployment).order_by("number").values_list("number", flat=True))


def test_a_new_revision_is_wanted_and_takes_no_traffic_yet(people: People, deployed: Deployment) -> None:
    before = epoch()
    second = add_revision(people.ben, deployed, reason="Better.")
    row = fresh(deployed)
    assert (row.wanted_id, second.number, second.owner_name) == (second.pk, 2, "ben")
    assert split(deployed) == {1: 100} and epoch() > before
    event = last_event(deployed)
    assert (event.code, event.note) == ("deployment.revision_deployed", "Better.")
    assert event.before == {"revision": 1, "model": "iris", "version": 1}
    assert event.after is not None and event.after["version"] == 2


def test_another_configuration_is_that_of_all_that_come(people: People, deployed: Deployment) -> None:
    version = servable(people.ada)
    ada = people.ada.actor
    config = Config(workers=2, instances=3)
    revision = actions.deploy_version(ada, deployment=deployed, version=version, config=config)
    assert (revision.config, revision.instances_wanted) == ({"workers": 2, "instances": 3}, 3)
    assert fresh(deployed).config == revision.config
    assert deployed.revisions.get(number=1).config == {}
    assert add_revision(people.ada, deployed).config == revision.config


def test_the_way_back_takes_the_configuration_along(people: People, deployed: Deployment) -> None:
    ada = people.ada.actor
    actions.scale(ada, deployment=deployed, instances=2)
    make_ready(add_revision(people.ada, deployed, config=Config(memory_mb=64, calls_per_minute=5)))
    assert fresh(deployed).config == {"memory_mb": 64, "calls_per_minute": 5}
    actions.roll_back(ada, deployment=deployed)
    assert fresh(deployed).config == {"instances": 2}
    assert add_revision(people.ada, deployed).config == {"instances": 2}


def test_the_configuration_of_a_canary_comes_with_its_traffic(people: People, deployed: Deployment) -> None:
    ada = people.ada.actor
    config = Config(memory_mb=64)
    ended = add_revision(people.ada, deployed, canary=True, config=config)
    assert (ended.config, fresh(deployed).config) == ({"memory_mb": 64}, {})
    actions.end_canary(ada, deployment=deployed, revision=ended)
    assert add_revision(people.ada, deployed, canary=True).config == {}
    better = make_ready(add_revision(people.ada, deployed, canary=True, config=config), weight=0)
    actions.shift_traffic(ada, deployment=deployed, weights={better.number: 100})
    assert fresh(deployed).config == {"memory_mb": 64}


def test_another_model_wants_its_own_deployment(people: People, deployed: Deployment) -> None:
    with pytest.raises(Conflict, match="wants its own deployment"):
        actions.deploy_version(people.ada.actor, deployment=deployed, version=servable(people.ada, "wine"))
    assert numbers(deployed) == [1]


def test_bad_input(people: People, deployed: Deployment) -> None:
    with pytest.raises(InvalidInput, match="at most 1000"):
        add_revision(people.ada, deployed, reason="x" * 1001)
    with pytest.raises(InvalidInput, match="nothing to serve"):
        actions.deploy_version(people.ada.actor, deployment=deployed, version=servable(people.ada, folder=""))
    assert numbers(deployed) == [1]


def test_stages_hold_for_each_version(people: People, deployed: Deployment) -> None:
    Deployment.objects.filter(pk=deployed.pk).update(stages=["Production"])
    with pytest.raises(Conflict, match="Ask for its promotion first"):
        add_revision(people.ada, deployed)
    version = servable(people.ada, stage="Production")
    actions.deploy_version(people.ada.actor, deployment=deployed, version=version)
    assert numbers(deployed) == [1, 2]


def test_a_canary_is_not_what_is_wanted(people: People, deployed: Deployment) -> None:
    canary = add_revision(people.ada, deployed, canary=True)
    assert canary.is_canary and fresh(deployed).wanted_id != canary.pk and split(deployed) == {1: 100}


def test_a_canary_needs_something_beside_it(people: People, deployed: Deployment) -> None:
    deployed.routes.all().delete()
    with pytest.raises(Conflict, match="nothing to compare"):
        add_revision(people.ada, deployed, canary=True)


def test_back_to_what_runs_still_moves_the_traffic_at_once(people: People, deployed: Deployment) -> None:
    make_ready(add_revision(people.ada, deployed))
    assert split(deployed) == {2: 100}
    before = epoch()
    goal = actions.roll_back(people.ben.actor, deployment=deployed, reason="It is worse.")
    assert goal.number == 1 and fresh(deployed).wanted_id == goal.pk
    assert split(deployed) == {1: 100} and epoch() > before
    event = last_event(deployed)
    assert (event.code, event.note, event.actor_name) == ("deployment.rolled_back", "It is worse.", "ben")


@pytest.mark.parametrize("state", [RevisionState.STOPPED, RevisionState.STARTING, RevisionState.FAILED])
def test_back_to_what_does_not_answer_leaves_the_traffic_until_it_does(
    people: People, deployed: Deployment, state: RevisionState
) -> None:
    make_ready(add_revision(people.ada, deployed))
    Revision.objects.filter(number=1).update(state=state)
    actions.roll_back(people.ada.actor, deployment=deployed)
    assert split(deployed) == {2: 100} and fresh(deployed).wanted == Revision.objects.get(number=1)
    expected = RevisionState.PENDING if state == RevisionState.FAILED else state
    assert Revision.objects.get(number=1).state == expected


def test_back_from_a_change_that_failed_is_to_what_serves(people: People, deployed: Deployment) -> None:
    fail(add_revision(people.ada, deployed))
    assert actions.roll_back(people.ada.actor, deployment=deployed).number == 1
    assert split(deployed) == {1: 100}


def test_back_in_the_midst_of_a_canary_gives_all_back(people: People, deployed: Deployment) -> None:
    canary = make_ready(add_revision(people.ada, deployed, canary=True), weight=0)
    actions.shift_traffic(people.ada.actor, deployment=deployed, weights={1: 50, 2: 50})
    actions.roll_back(people.ada.actor, deployment=deployed, to=deployed.revisions.get(number=1))
    assert split(deployed) == {1: 100}
    canary.refresh_from_db()
    assert canary.rests_ms is not None


def test_there_may_be_no_way_back(people: People, deployed: Deployment) -> None:
    ada = people.ada.actor
    with pytest.raises(Conflict, match="no earlier revision that was ready"):
        actions.roll_back(ada, deployment=deployed)
    with pytest.raises(Conflict, match="serves revision 1 already"):
        actions.roll_back(ada, deployment=deployed, to=deployed.revisions.get(number=1))
    with pytest.raises(InvalidInput):
        actions.roll_back(ada, deployment=deployed, reason="x" * 1001)


def test_no_way_back_to_a_version_that_is_gone_or_not_allowed_any_more(people: People, deployed: Deployment) -> None:
    ada = people.ada.actor
    make_ready(add_revision(people.ada, deployed))
    Deployment.objects.filter(pk=deployed.pk).update(stages=["Production"])
    with pytest.raises(Conflict, match="in Production alone"):
        actions.roll_back(ada, deployment=deployed)
    ModelVersion.objects.filter(number=1).delete()
    with pytest.raises(Conflict, match="version 1 was deleted"):
        actions.roll_back(ada, deployment=deployed)


def test_one_that_failed_is_tried_again(people: People, deployed: Deployment) -> None:
    second = fail(add_revision(people.ada, deployed))
    before = epoch()
    again = actions.retry_revision(people.ada.actor, deployment=deployed, revision=second)
    assert (again.state, again.message) == (RevisionState.PENDING, "") and epoch() > before
    assert last_event(deployed).note == "Tried again."


def test_only_what_failed_and_is_wanted_is_tried_again(people: People, deployed: Deployment) -> None:
    ada = people.ada.actor
    with pytest.raises(Conflict, match="did not fail"):
        actions.retry_revision(ada, deployment=deployed, revision=deployed.revisions.get())
    second = fail(add_revision(people.ada, deployed))
    add_revision(people.ada, deployed)
    with pytest.raises(Conflict, match="roll back to it instead"):
        actions.retry_revision(ada, deployment=deployed, revision=second)


def test_back_is_to_what_served_before_and_not_to_what_people_left(people: People, deployed: Deployment) -> None:
    ada = people.ada.actor
    make_ready(add_revision(people.ada, deployed))
    actions.roll_back(ada, deployment=deployed)
    make_ready(add_revision(people.ada, deployed))
    assert actions.roll_back(ada, deployment=deployed).number == 1, "the second one was bad"


def test_back_and_back_again_leads_further_back(people: People, deployed: Deployment) -> None:
    ada = people.ada.actor
    for _ in range(2):
        make_ready(add_revision(people.ada, deployed))
    assert actions.roll_back(ada, deployment=deployed).number == 2
    assert actions.roll_back(ada, deployment=deployed).number == 1
    with pytest.raises(Conflict, match="no earlier revision"):
        actions.roll_back(ada, deployment=deployed)
