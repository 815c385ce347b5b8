"""Going back to what was there before."""

from __future__ import annotations

import pytest

from apps.core.errors import Conflict, InvalidInput, NotFound
from apps.registry import actions
from apps.registry.models import Alias, ModelVersion, Placement, PromotionRequest, RegisteredModel
from apps.registry.selectors import history
from apps.registry.stages import Slot
from tests.personas import People
from tests.registry.promotion.making import PRODUCTION, make_model, make_version, set_policy, stage_of


@pytest.fixture
def versions(people: People) -> list[ModelVersion]:
    """Three, that came into production one after the other."""
    model = make_model(people.ada)
    made = [make_version(people.ada, model) for _ in range(3)]
    for version in made:
        actions.move_version(people.max.actor, version=version, stage="Production", archive_existing=True)
    return made


@pytest.fixture
def model(versions: list[ModelVersion]) -> RegisteredModel:
    return versions[0].model


def test_twice_goes_two_back_and_no_further(
    people: People, model: RegisteredModel, versions: list[ModelVersion]
) -> None:
    for expected in (2, 1):
        placement = actions.roll_back(people.max.actor, model=model, slot=PRODUCTION, reason="it fails")
        assert isinstance(placement, Placement)
        assert (placement.number, placement.is_rollback, placement.entered_note) == (expected, True, "it fails")
    assert [stage_of(version) for version in versions] == ["Production", "Archived", "Archived"]
    with pytest.raises(Conflict, match="nothing to go back to"):
        actions.roll_back(people.max.actor, model=model, slot=PRODUCTION, reason="it fails")


def test_after_a_rollback_and_another_version_it_goes_back_to_what_ran(
    people: People, model: RegisteredModel, versions: list[ModelVersion]
) -> None:
    actions.roll_back(people.max.actor, model=model, slot=PRODUCTION, reason="x")
    fourth = make_version(people.ada, model)
    actions.move_version(people.max.actor, version=fourth, stage="Production", archive_existing=True)
    before = history.previous(model, PRODUCTION)
    assert before is not None and before.number == 2


def test_under_a_policy_administrators_go_back_at_once_and_others_ask(people: People, model: RegisteredModel) -> None:
    set_policy(people, gates=({"kind": "description", "params": {"characters": 5000}},))
    request = actions.roll_back(people.max.actor, model=model, slot=PRODUCTION, reason="it fails", to=2)
    assert isinstance(request, PromotionRequest)
    assert (request.kind, request.rules["gates"], request.version.number) == ("rollback", [], 2)
    assert actions.roll_back(people.root.actor, model=model, slot=PRODUCTION, reason="now").pk
    request.refresh_from_db()
    assert request.state == "superseded"


def test_an_approved_rollback_is_one_in_the_history(people: People, model: RegisteredModel) -> None:
    set_policy(people)
    request = actions.roll_back(people.ada.actor, model=model, slot=PRODUCTION, reason="it fails")
    assert isinstance(request, PromotionRequest)
    actions.approve_request(people.max.actor, request=request)
    placement = Placement.objects.current().get(slot_name="Production")
    assert (placement.number, placement.is_rollback, placement.request) == (2, True, request)


def test_what_comes_back_is_what_was_expected(people: People, model: RegisteredModel) -> None:
    with pytest.raises(Conflict, match="would bring version 2"):
        actions.roll_back(people.max.actor, model=model, slot=PRODUCTION, reason="x", to=1)
    with pytest.raises(InvalidInput, match="say why"):
        actions.roll_back(people.max.actor, model=model, slot=PRODUCTION, reason=" ")


def test_a_deleted_version_does_not_come_back(
    people: People, model: RegisteredModel, versions: list[ModelVersion]
) -> None:
    actions.delete_version(people.max.actor, version=versions[1])
    placement = actions.roll_back(people.max.actor, model=model, slot=PRODUCTION, reason="x")
    assert isinstance(placement, Placement) and placement.number == 1
    with pytest.raises(NotFound):
        actions.move_version(people.max.actor, version=versions[1], stage="Production")


def test_an_alias_that_was_removed_comes_back(
    people: People, model: RegisteredModel, versions: list[ModelVersion]
) -> None:
    actions.set_alias(people.ben.actor, model=model, alias="champion", version=versions[0])
    actions.delete_alias(people.ben.actor, model=model, alias="champion")
    actions.roll_back(people.ben.actor, model=model, slot=Slot.alias("champion"), reason="by mistake")
    assert Alias.objects.get().version == versions[0]


def test_where_several_are_in_a_stage_the_last_leaves(people: People) -> None:
    model = make_model(people.ada, "many")
    first, second = make_version(people.ada, model), make_version(people.ada, model)
    for version in (first, second):
        actions.move_version(people.max.actor, version=version, stage="Production")
    placement = actions.roll_back(people.max.actor, model=model, slot=PRODUCTION, reason="x")
    assert isinstance(placement, Placement) and placement.version_id == first.pk
    assert (stage_of(first), stage_of(second)) == ("Production", "Archived")


def test_what_was_in_place_at_a_moment(people: People, model: RegisteredModel) -> None:
    rows = list(Placement.objects.filter(slot_name="Production").order_by("pk"))
    Placement.objects.filter(pk=rows[0].pk).update(from_ms=1000, until_ms=2000)
    Placement.objects.filter(pk=rows[1].pk).update(from_ms=2000, until_ms=3000)
    numbers = {
        moment: [row.number for row in history.in_place_at(people.vera.actor, model, moment) if row.slot == PRODUCTION]
        for moment in (999, 1000, 1999, 2000, 2999, 3000)
    }
    assert numbers == {999: [], 1000: [1], 1999: [1], 2000: [2], 2999: [2], 3000: []}
    assert history.in_place_at(people.cleo.actor, model, 1500) == []
