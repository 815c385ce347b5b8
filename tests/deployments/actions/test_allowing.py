"""No way leads traffic to a version that the deployment's stages don't allow any more, or that was deleted."""

from __future__ import annotations

import pytest

from apps.core.errors import Conflict
from apps.deployments import actions
from apps.deployments.models import Deployment, Revision, RevisionState
from apps.registry.models import ModelVersion
from tests.deployments.actions.seeing import split
from tests.deployments.making import add_revision, fail, fresh, make_ready
from tests.personas import People


@pytest.fixture
def strict(people: People, deployed: Deployment) -> Deployment:
    """It serves its second revision, of production; the first one's version, which is warm, was archived since."""
    make_ready(add_revision(people.ada, deployed))
    ModelVersion.objects.filter(number=2).update(stage="Production")
    ModelVersion.objects.filter(number=1).update(stage="Archived")
    Deployment.objects.filter(pk=deployed.pk).update(stages=["Production"])
    return fresh(deployed)


@pytest.mark.parametrize("weights", [{1: 100}, {1: 1, 2: 99}])
def test_traffic_is_not_shifted_there(people: People, strict: Deployment, weights: dict[int, int]) -> None:
    with pytest.raises(Conflict, match="in Production alone"):
        actions.shift_traffic(people.ada.actor, deployment=strict, weights=weights)
    ModelVersion.objects.filter(number=1).delete()
    with pytest.raises(Conflict, match="version 1 was deleted"):
        actions.shift_traffic(people.ada.actor, deployment=strict, weights=weights)
    assert split(strict) == {2: 100}


def test_what_it_has_there_can_be_taken_away_in_steps(people: People, strict: Deployment) -> None:
    ada = people.ada.actor
    ModelVersion.objects.filter(number=1).update(stage="Production")
    actions.shift_traffic(ada, deployment=strict, weights={1: 50, 2: 50})
    ModelVersion.objects.filter(number=1).update(stage="Archived")
    actions.shift_traffic(ada, deployment=strict, weights={1: 20, 2: 80})
    assert split(strict) == {1: 20, 2: 80}


def test_one_that_failed_is_not_tried_again(people: People, strict: Deployment) -> None:
    assert strict.wanted is not None
    failed = fail(strict.wanted)
    ModelVersion.objects.filter(number=2).update(stage="Archived")
    with pytest.raises(Conflict, match="in Production alone"):
        actions.retry_revision(people.ada.actor, deployment=strict, revision=failed)
    failed.refresh_from_db()
    assert failed.state == RevisionState.FAILED


def test_a_stopped_one_does_not_start_with_it(people: People, strict: Deployment) -> None:
    """Versions that nothing serves may be archived and deleted, so one that is stopped holds none."""
    ada = people.ada.actor
    actions.stop_deployment(ada, deployment=strict)
    ModelVersion.objects.filter(number=2).update(stage="Archived")
    with pytest.raises(Conflict, match="in Production alone"):
        actions.start_deployment(ada, deployment=strict)
    assert fresh(strict).is_stopped
    ModelVersion.objects.filter(number=2).update(stage="Production")
    actions.start_deployment(ada, deployment=strict)
    assert not fresh(strict).is_stopped and split(strict) == {2: 100}


def test_it_starts_with_another_version_and_without_the_old_ones_traffic(people: People, strict: Deployment) -> None:
    ada = people.ada.actor
    actions.stop_deployment(ada, deployment=strict)
    ModelVersion.objects.filter(number=2).update(stage="Archived")
    ModelVersion.objects.filter(number=1).update(stage="Production")
    actions.roll_back(ada, deployment=strict, to=Revision.objects.get(number=1))
    Revision.objects.filter(number=1).update(state=RevisionState.STOPPED)
    strict.routes.update(revision=Revision.objects.get(number=2))
    actions.start_deployment(ada, deployment=strict)
    assert split(strict) == {}, "what is wanted gets it once it is ready"
