from __future__ import annotations

import pytest

from apps.accounts import actions as accounts
from apps.accounts.kinds import kind_of
from apps.accounts.models import ObjectKind
from apps.core.actor import Level, system_actor
from apps.core.errors import Conflict
from apps.deployments import actions
from apps.deployments.configuration import Config
from apps.deployments.follows import Follow
from apps.deployments.models import Deployment, Following, FollowMode
from apps.deployments.selectors.following import deployments_behind
from apps.notifications.models import Notification
from apps.registry.models import ModelVersion
from tests.deployments.actions.seeing import last_event, split
from tests.deployments.making import follow, fresh, make_ready, ready_deployment, servable, wanted_of
from tests.personas import People


def rule(
    people: People, deployment: Deployment, mode: FollowMode, kind: str = "stage", name: str = "Production"
) -> None:
    actions.set_rules(people.max.actor, deployment=deployment, follow=Follow(Following(kind), name, mode), stages=[])


def behind() -> list[str]:
    return [deployment.name for deployment in deployments_behind()]


def test_a_change_is_made_by_its_rule(people: People, deployed: Deployment) -> None:
    rule(people, deployed, FollowMode.APPLY)
    assert not behind() and not follow(deployed)
    servable(people.ada, stage="Production")
    assert behind() == ["iris"] and follow(deployed)
    wanted = fresh(deployed).wanted
    assert wanted is not None
    assert (wanted.number, wanted.version_number, wanted.reason) == (2, 2, "Production has version 2.")
    assert (wanted.owner_id, last_event(deployed).actor_name, split(deployed)) == (None, "system", {1: 100})
    assert Notification.objects.filter(topic="deployment.changed", user=people.ada.user).count() == 1
    assert not behind() and not follow(deployed)


def test_a_change_is_proposed_and_accepted(people: People, deployed: Deployment) -> None:
    rule(people, deployed, FollowMode.PROPOSE)
    version = servable(people.ada, stage="Production")
    assert behind() == ["iris"] and follow(deployed)
    assert fresh(deployed).proposed_id == version.pk and not behind()
    assert Notification.objects.filter(topic="deployment.proposed", user=people.max.user).count() == 1
    revision = actions.accept_proposal(people.ben.actor, deployment=fresh(deployed))
    assert revision.version_id == version.pk and fresh(deployed).proposed_id is None
    with pytest.raises(Conflict, match="Nothing is proposed"):
        actions.accept_proposal(people.ben.actor, deployment=fresh(deployed))


def test_a_change_is_proposed_and_dismissed_and_does_not_come_again(people: People, deployed: Deployment) -> None:
    rule(people, deployed, FollowMode.PROPOSE)
    servable(people.ada, stage="Production")
    follow(deployed)
    actions.dismiss_proposal(people.ada.actor, deployment=fresh(deployed), reason="Not now.")
    assert last_event(deployed).code == "deployment.proposal_dismissed"
    assert not behind() and not follow(deployed)
    with pytest.raises(Conflict, match="Nothing is proposed"):
        actions.dismiss_proposal(people.ada.actor, deployment=fresh(deployed))
    servable(people.ada, stage="Production")
    assert behind() == ["iris"] and follow(deployed)


def test_a_proposal_that_was_made_a_canary_by_hand_is_settled_with_it(people: People, deployed: Deployment) -> None:
    rule(people, deployed, FollowMode.PROPOSE)
    version = servable(people.ada, stage="Production")
    follow(deployed)
    ada = people.ada.actor
    canary = actions.deploy_version(ada, deployment=fresh(deployed), version=version, canary=True)
    assert fresh(deployed).proposed_id == version.pk
    make_ready(canary, weight=0)
    actions.shift_traffic(ada, deployment=fresh(deployed), weights={canary.number: 100})
    assert fresh(deployed).proposed_id is None and not behind() and not follow(deployed)


@pytest.mark.parametrize("as_canary", [False, True])
def test_what_people_choose_instead_stays_until_the_registry_has_another(
    people: People, deployed: Deployment, as_canary: bool
) -> None:
    """Else a rule would undo within a second what somebody just did."""
    ada = people.ada.actor
    first = fresh(deployed).wanted
    assert first is not None and first.version is not None
    rule(people, deployed, FollowMode.APPLY)
    servable(people.ada, stage="Production")
    assert follow(deployed)
    make_ready(wanted_of(deployed))
    chosen = actions.deploy_version(ada, deployment=fresh(deployed), version=first.version, canary=as_canary)
    if as_canary:
        make_ready(chosen, weight=0)
        actions.shift_traffic(ada, deployment=fresh(deployed), weights={chosen.number: 100})
    assert wanted_of(deployed) == chosen and not behind() and not follow(deployed)
    servable(people.ada, stage="Production")
    assert behind() == ["iris"] and follow(deployed)
    assert wanted_of(deployed).version_number == 3


def test_what_people_went_back_from_stays_away_when_they_change_something_else(
    people: People, deployed: Deployment
) -> None:
    ada = people.ada.actor
    first = wanted_of(deployed)
    assert first.version is not None
    rule(people, deployed, FollowMode.APPLY)
    servable(people.ada, stage="Production")
    assert follow(deployed)
    actions.roll_back(ada, deployment=fresh(deployed))
    actions.deploy_version(ada, deployment=fresh(deployed), version=first.version, config=Config(workers=2))
    assert not behind() and not follow(deployed)


def test_a_proposal_that_the_registry_takes_back_is_gone(people: People, deployed: Deployment) -> None:
    rule(people, deployed, FollowMode.PROPOSE)
    version = servable(people.ada, stage="Production")
    follow(deployed)
    ModelVersion.objects.filter(pk=version.pk).update(stage="Archived")
    assert behind() == ["iris"] and follow(deployed)
    assert fresh(deployed).proposed_id is None and not behind()


def test_an_alias_is_followed(people: People, deployed: Deployment) -> None:
    rule(people, deployed, FollowMode.APPLY, "alias", "champion")
    version = servable(people.ada)
    version.model.aliases.create(name="champion", version=version)
    assert behind() == ["iris"] and follow(deployed)
    assert not behind()


def test_a_stopped_one_and_a_fixed_one_follow_nothing(people: People, deployed: Deployment) -> None:
    servable(people.ada, stage="Production")
    assert not behind()
    rule(people, deployed, FollowMode.APPLY)
    actions.stop_deployment(people.ada.actor, deployment=deployed)
    assert not behind() and not follow(deployed)


def test_a_rule_makes_no_change_that_stages_forbid(people: People, deployed: Deployment) -> None:
    kept = Follow(Following.ALIAS, "champion", FollowMode.APPLY)
    actions.set_rules(people.max.actor, deployment=deployed, follow=kept, stages=["Production"])
    version = servable(people.ada)
    version.model.aliases.create(name="champion", version=version)
    assert not follow(deployed)
    assert fresh(deployed).wanted == deployed.revisions.get()


def test_asking_who_is_behind_is_one_statement(
    people: People, deployed: Deployment, django_assert_num_queries: object
) -> None:
    rule(people, deployed, FollowMode.APPLY)
    servable(people.ada, stage="Production")
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert behind() == ["iris"]


@pytest.fixture
def of_others(people: People) -> Deployment:
    """Ada's, of a model of harbour's that was shared with forge."""
    version = servable(people.cleo, "wine")
    _share(people, version.model_id)
    return ready_deployment(people.ada, "wine", version=version)


def _share(people: People, model_id: int, *, back: bool = False) -> None:
    system, kind = system_actor(), kind_of(ObjectKind.REGISTERED_MODEL)
    target = kind.find(system, kind.key_of(model_id), Level.MANAGE)
    if back:
        accounts.revoke_grant(system, target=target, to=people.forge)
    else:
        accounts.give_grant(system, target=target, to=people.forge, level=Level.READ)


@pytest.mark.parametrize("mode", FollowMode)
def test_what_is_not_shared_any_more_is_not_followed(people: People, of_others: Deployment, mode: FollowMode) -> None:
    rule(people, of_others, mode)
    servable(people.cleo, "wine", stage="Production")
    assert of_others.model_id is not None
    _share(people, of_others.model_id, back=True)
    assert not follow(of_others)
    found = fresh(of_others)
    assert (found.revisions.count(), found.proposed, split(found)) == (1, None, {1: 100})
    _share(people, of_others.model_id)
    assert follow(of_others)


def test_a_proposal_goes_with_what_is_not_shared_any_more(people: People, of_others: Deployment) -> None:
    rule(people, of_others, FollowMode.PROPOSE)
    servable(people.cleo, "wine", stage="Production")
    assert follow(of_others) and of_others.model_id is not None
    _share(people, of_others.model_id, back=True)
    with pytest.raises(Conflict, match="Nobody who keeps wine may read wine any more"):
        actions.accept_proposal(people.ada.actor, deployment=fresh(of_others))
    assert of_others.revisions.count() == 1
