"""What people went back from, or try as a canary, does not come again by following the registry."""

from __future__ import annotations

import pytest

from apps.deployments import actions
from apps.deployments.follows import Follow
from apps.deployments.models import Deployment, Following, FollowMode, Revision
from apps.deployments.selectors.following import deployments_behind
from tests.deployments.making import follow, fresh, make_ready, ready_deployment, servable
from tests.personas import People


def following(people: People, mode: FollowMode) -> Deployment:
    """It serves version 1, and follows Production, where version 2 has come."""
    deployment = ready_deployment(people.ada, follow=Follow(Following.STAGE, "Production", mode))
    servable(people.ada, stage="Production")
    assert follow(deployment)
    return fresh(deployment)


@pytest.mark.parametrize("mode", FollowMode)
def test_what_was_left_stays_left(people: People, mode: FollowMode) -> None:
    deployment = following(people, mode)
    if mode == FollowMode.PROPOSE:
        actions.accept_proposal(people.ada.actor, deployment=deployment)
    make_ready(Revision.objects.get(number=2))
    actions.roll_back(people.ada.actor, deployment=fresh(deployment))
    assert not follow(deployment) and not deployments_behind().exists()
    found = fresh(deployment)
    assert found.wanted is not None and (found.wanted.number, found.proposed) == (1, None)
    servable(people.ada, stage="Production")
    assert follow(deployment)


def test_a_canary_is_not_proposed_beside_itself(people: People) -> None:
    deployment = following(people, FollowMode.PROPOSE)
    revision = actions.accept_proposal(people.ada.actor, deployment=deployment, canary=True)
    assert not follow(deployment) and fresh(deployment).proposed is None
    make_ready(revision, weight=0)
    actions.end_canary(people.ada.actor, deployment=fresh(deployment), revision=revision)
    assert not follow(deployment)
