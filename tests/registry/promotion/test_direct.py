"""Moving at once: by right where no policy speaks."""

from __future__ import annotations

import pytest

from apps.core.errors import InvalidInput, PermissionDenied
from apps.registry import actions
from apps.registry.models import Alias, ModelVersion, Placement
from tests.personas import People
from tests.registry.promotion.making import PRODUCTION, make_model, make_version, stage_of


@pytest.fixture
def version(people: People) -> ModelVersion:
    return make_version(people.ada, make_model(people.ada))


def test_a_maintainer_moves_without_a_request(people: People, version: ModelVersion) -> None:
    moved = actions.move_version(people.max.actor, version=version, stage="production", comment="tested")
    assert moved.stage == stage_of(version) == "Production"
    placement = Placement.objects.get()
    assert (placement.slot, placement.entered_by, placement.entered_note) == (PRODUCTION, "max", "tested")


def test_who_made_it_has_no_right_over_stages(people: People, version: ModelVersion) -> None:
    with pytest.raises(PermissionDenied, match="transition-requests/create"):
        actions.move_version(people.ada.actor, version=version, stage="Staging")
    assert stage_of(version) == "None"


def test_the_stage_that_it_is_in_changes_nothing(people: People, version: ModelVersion) -> None:
    actions.move_version(people.max.actor, version=version, stage="Staging")
    actions.move_version(people.ada.actor, version=version, stage="Staging")
    assert Placement.objects.count() == 1


def test_the_previous_one_is_archived_when_asked(people: People, version: ModelVersion) -> None:
    second = make_version(people.ada, version.model)
    actions.move_version(people.max.actor, version=version, stage="Production")
    actions.move_version(people.max.actor, version=second, stage="Production", archive_existing=True)
    assert (stage_of(version), stage_of(second)) == ("Archived", "Production")
    left = Placement.objects.get(version=version, slot_name="Production")
    assert left.until_ms and left.left_note == "Version 2 took its place."


def test_archived_archives_nobody(people: People, version: ModelVersion) -> None:
    with pytest.raises(InvalidInput, match=r"not an Active stage. Valid stages are \['Staging', 'Production'\]"):
        actions.move_version(people.max.actor, version=version, stage="Archived", archive_existing=True)


def test_an_editor_sets_an_alias_and_moves_it(people: People, version: ModelVersion) -> None:
    second = make_version(people.ada, version.model)
    actions.set_alias(people.ben.actor, model=version.model, alias="champion", version=version)
    actions.set_alias(people.ben.actor, model=version.model, alias="champion", version=second)
    assert Alias.objects.get().version == second
    assert [p.until_ms is None for p in Placement.objects.order_by("pk")] == [False, True]
    actions.delete_alias(people.ben.actor, model=version.model, alias="champion")
    assert not Alias.objects.exists() and not Placement.objects.current().exists()


@pytest.mark.parametrize("alias", ["production", "Production", "STAGING", "\u017ftaging", "\uff30roduction"])
def test_an_alias_called_like_a_stage_wants_the_right_of_the_stage(
    people: People, version: ModelVersion, alias: str
) -> None:
    with pytest.raises(PermissionDenied):
        actions.set_alias(people.ben.actor, model=version.model, alias=alias, version=version)
