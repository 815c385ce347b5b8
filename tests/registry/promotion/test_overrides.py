"""Breaking the glass, and who looks at it afterwards."""

from __future__ import annotations

import pytest

from apps.accounts import actions as accounts
from apps.audit.models import Event
from apps.core.actor import Role, system_actor
from apps.core.errors import Conflict, PermissionDenied
from apps.notifications.models import Notification
from apps.registry import actions
from apps.registry.models import ModelVersion, Override, Placement
from apps.registry.stages import Slot
from tests.personas import PASSWORD, People, Persona, token_for
from tests.registry.promotion.making import make_model, make_version, set_policy, stage_of


@pytest.fixture
def version(people: People) -> ModelVersion:
    set_policy(people, override_by="maintainer")
    return make_version(people.ada, make_model(people.ada))


@pytest.fixture
def override(people: People, version: ModelVersion) -> Override:
    actions.move_version(people.max.actor, version=version, stage="Production", comment="it burns")
    return Override.objects.select_related("team", "maker").get()


def second_administrator() -> Persona:
    user = accounts.create_user(system_actor(), username="rita", password=PASSWORD, is_admin=True)
    return Persona(user, token_for(user))


def test_it_is_marked_and_told(people: People, version: ModelVersion, override: Override) -> None:
    assert stage_of(version) == "Production"
    assert (override.made_by, override.reason) == ("max", "it burns")
    assert Placement.objects.get().is_override
    assert Event.objects.filter(code="override.made", object_id=str(version.pk)).count() == 1
    text = Notification.objects.get(user=people.root.user, topic="registry.override").text
    assert text == ("max went past the policy of iris-classifier: moved version 1 from None to Production: it burns")


def test_it_wants_a_reason(people: People, version: ModelVersion) -> None:
    with pytest.raises(Conflict, match="with a reason"):
        actions.move_version(people.max.actor, version=version, stage="Production", comment=" ")
    assert not Override.objects.exists()


def test_others_may_not(people: People, version: ModelVersion) -> None:
    with pytest.raises(PermissionDenied, match="ask with POST"):
        actions.move_version(people.ben.actor, version=version, stage="Production", comment="please")


def test_nor_may_a_service_account(people: People, version: ModelVersion) -> None:
    robot = accounts.create_user(
        system_actor(), username="ci", password=None, team=people.forge, role=Role.MAINTAINER, is_service=True
    )
    with pytest.raises(PermissionDenied):
        actions.move_version(Persona(robot, "").actor, version=version, stage="Production", comment="please")


def test_aliases_are_broken_into_too(people: People, version: ModelVersion) -> None:
    set_policy(people, Slot.alias("champion"), override_by="maintainer")
    actions.set_alias(people.max.actor, model=version.model, alias="champion", version=version, reason="now")
    actions.delete_alias(people.max.actor, model=version.model, alias="champion", reason="gone")
    assert [row.text for row in Override.objects.order_by("pk")] == [
        "let @champion point at version 1",
        "removed @champion of version 1",
    ]


def test_an_administrator_reviews_it_once(people: People, override: Override) -> None:
    with pytest.raises(PermissionDenied):
        actions.review_override(people.max.actor, override=override, review="all fine")
    reviewed = actions.review_override(people.root.actor, override=override, review="all fine")
    assert (reviewed.reviewed_by, reviewed.review, reviewed.is_own_review) == ("root", "all fine", False)
    with pytest.raises(Conflict, match="already"):
        actions.review_override(people.root.actor, override=override, review="again")


def test_ones_own_is_reviewed_by_another_where_there_is_one(people: People, version: ModelVersion) -> None:
    actions.move_version(people.root.actor, version=version, stage="Production", comment="it burns")
    override = Override.objects.select_related("team", "maker").get()
    rita = second_administrator()
    with pytest.raises(PermissionDenied, match="somebody else"):
        actions.review_override(people.root.actor, override=override, review="fine")
    accounts.set_active(system_actor(), user=rita.user, is_active=False)
    assert actions.review_override(people.root.actor, override=override, review="fine").is_own_review
