"""What is refused while a policy governs where a version is."""

from __future__ import annotations

import pytest

from apps.core.errors import Conflict, PermissionDenied
from apps.registry import actions
from apps.registry.models import ModelVersion, Placement, PromotionRequest, RegisteredModel
from apps.registry.stages import Slot
from tests.personas import People
from tests.registry.promotion.making import PRODUCTION, make_model, make_version, set_policy

CHAMPION = Slot.alias("champion")


@pytest.fixture
def version(people: People) -> ModelVersion:
    return make_version(people.ada, make_model(people.ada))


def test_a_version_in_production_is_not_deleted_where_a_policy_governs(people: People, version: ModelVersion) -> None:
    actions.move_version(people.max.actor, version=version, stage="Production")
    set_policy(people)
    with pytest.raises(Conflict, match="Move it out first"):
        actions.delete_version(people.root.actor, version=version)
    with pytest.raises(Conflict, match="can't be renamed"):
        actions.rename_model(people.root.actor, model=version.model, name="other")
    with pytest.raises(Conflict, match="can't be deleted"):
        actions.delete_model(people.root.actor, model=version.model)
    assert ModelVersion.objects.filter(pk=version.pk).exists()


def test_nor_the_holder_of_a_protected_alias(people: People, version: ModelVersion) -> None:
    actions.set_alias(people.ben.actor, model=version.model, alias="champion", version=version)
    set_policy(people, CHAMPION)
    with pytest.raises(Conflict, match="@champion"):
        actions.delete_version(people.ada.actor, version=version)
    with pytest.raises(PermissionDenied, match="governed by a policy"):
        actions.delete_alias(people.max.actor, model=version.model, alias="champion")


def test_without_a_policy_it_wants_the_right_of_the_slot(people: People, version: ModelVersion) -> None:
    actions.move_version(people.max.actor, version=version, stage="Production")
    with pytest.raises(PermissionDenied, match="production"):
        actions.delete_version(people.ada.actor, version=version)
    actions.delete_version(people.max.actor, version=version)
    placement = Placement.objects.get()
    assert placement.version_id is None and placement.until_ms and placement.left_by == "max"


def test_leaving_production_is_governed_too(people: People, version: ModelVersion) -> None:
    actions.move_version(people.max.actor, version=version, stage="Production")
    set_policy(people)
    for stage in ("Archived", "None", "Staging"):
        with pytest.raises(PermissionDenied, match="governed by a policy"):
            actions.move_version(people.max.actor, version=version, stage=stage)
    request = actions.ask(people.ada.actor, version=version, slot=Slot.stage("Archived"))
    assert actions.approve_request(people.max.actor, request=request).state == "applied"


def test_a_deleted_model_ends_its_requests_and_keeps_its_history(people: People, version: ModelVersion) -> None:
    actions.move_version(people.max.actor, version=version, stage="Staging")
    actions.ask(people.ben.actor, version=version, slot=PRODUCTION)
    actions.delete_model(people.max.actor, model=version.model)
    assert not RegisteredModel.objects.exists() and not PromotionRequest.objects.exists()
    assert Placement.objects.get().left_note == "The model was deleted."
