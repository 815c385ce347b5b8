"""Who gets a deployment to act on: actions take what these functions give."""

from __future__ import annotations

import pytest

from apps.core.actor import Level
from apps.core.errors import NotFound, PermissionDenied
from apps.deployments import access
from apps.deployments.models import Deployment
from tests.deployments.making import make_instance
from tests.personas import People


@pytest.mark.parametrize(
    ("who", "may"),
    [
        ("ada", Level.MANAGE),
        ("ben", Level.EDIT),
        ("vera", Level.READ),
        ("max", Level.MANAGE),
        ("cleo", Level.NONE),
        ("root", Level.MANAGE),
    ],
)
def test_each_gets_it_with_their_own_level_and_no_higher(
    people: People, deployed: Deployment, who: str, may: Level
) -> None:
    actor = getattr(people, who).actor
    for level in (Level.READ, Level.EDIT, Level.MANAGE):
        if level <= may:
            assert access.get_deployment(actor, "iris", level) == deployed
            assert access.get_deployment_by_key(actor, deployed.pk, level) == deployed
        else:
            with pytest.raises(PermissionDenied if may else NotFound):
                access.get_deployment(actor, "iris", level)
            with pytest.raises(PermissionDenied if may else NotFound):
                access.get_deployment_by_key(actor, deployed.pk, level)


@pytest.mark.parametrize("name", ["ir", "iris2", "", "iris\x00", "%", "x" * 1000])
def test_what_is_not_there_is_not_found(people: People, deployed: Deployment, name: str) -> None:
    with pytest.raises(NotFound):
        access.get_deployment(people.ada.actor, name)


def test_names_are_found_whatever_their_case(people: People, deployed: Deployment) -> None:
    assert access.get_deployment(people.vera.actor, "IRIS") == deployed


def test_revisions_and_instances_are_those_of_the_deployment_and_of_who_may_see_it(
    people: People, deployed: Deployment
) -> None:
    revision = deployed.revisions.get()
    instance = make_instance(revision)
    assert access.get_revision(people.vera.actor, deployed, 1) == revision
    assert access.get_instance(people.vera.actor, deployed, instance.pk) == instance
    for number in (2, 0, "1e3", "-1", "9" * 40):
        with pytest.raises(NotFound):
            access.get_revision(people.ada.actor, deployed, number)
        with pytest.raises(NotFound):
            access.get_instance(people.ada.actor, deployed, number if number != 2 else 10**9)
    with pytest.raises(NotFound):
        access.get_revision(people.cleo.actor, deployed, 1)
    with pytest.raises(NotFound):
        access.get_instance(people.cleo.actor, deployed, instance.pk)
