"""Asking and deciding."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts import actions as accounts
from apps.core.actor import Role, system_actor
from apps.core.errors import AlreadyExists, Conflict, InvalidInput, PermissionDenied
from apps.notifications.models import Notification
from apps.registry import actions
from apps.registry.models import Decision, ModelVersion, Placement, PromotionRequest
from tests.personas import PASSWORD, People, Persona, token_for
from tests.registry.promotion.making import PRODUCTION, make_model, make_version, set_policy, stage_of


@pytest.fixture
def version(people: People) -> ModelVersion:
    return make_version(people.ada, make_model(people.ada))


@pytest.fixture
def mia(people: People) -> Persona:
    """A second maintainer."""
    user = accounts.create_user(
        system_actor(), username="mia", password=PASSWORD, team=people.forge, role=Role.MAINTAINER
    )
    return Persona(user, token_for(user))


def ask(who: Persona, version: ModelVersion) -> PromotionRequest:
    return actions.ask(who.actor, version=version, slot=PRODUCTION, comment="better")


def test_two_approvals_move_it_and_archive_the_previous(people: People, version: ModelVersion, mia: Persona) -> None:
    actions.move_version(people.max.actor, version=version, stage="Production")
    set_policy(people, approvals=2)
    second = make_version(people.ada, version.model)
    request = ask(people.ada, second)
    assert set(Notification.objects.values_list("user__username", flat=True)) == {"max", "mia", "root", "ada"}
    assert actions.approve_request(people.max.actor, request=request, comment="fine", round=1).state == "open"
    assert actions.approve_request(mia.actor, request=request).state == "applied"
    assert (stage_of(version), stage_of(second)) == ("Archived", "Production")
    assert Placement.objects.get(version=second).request == request
    assert not Notification.objects.open_in_group(f"promotion-request:{request.pk}").exists()


def test_a_member_does_not_decide(people: People, version: ModelVersion) -> None:
    set_policy(people)
    with pytest.raises(PermissionDenied, match="maintainer"):
        actions.approve_request(people.ben.actor, request=ask(people.ada, version))
    assert not Decision.objects.exists()


def test_ones_own_is_for_others(people: People, version: ModelVersion) -> None:
    set_policy(people)
    own = make_version(people.max, version.model)
    for request in (ask(people.max, version), ask(people.ada, own)):
        with pytest.raises(Conflict, match="somebody else"):
            actions.approve_request(people.max.actor, request=request)


def test_a_second_word_does_not_count(people: People, version: ModelVersion) -> None:
    set_policy(people, approvals=2)
    request = ask(people.ada, version)
    actions.approve_request(people.max.actor, request=request)
    with pytest.raises(Conflict, match="already"):
        actions.approve_request(people.max.actor, request=request)
    assert stage_of(version) == "None"


def test_one_rejection_ends_it(people: People, version: ModelVersion) -> None:
    set_policy(people, approvals=2)
    request = ask(people.ada, version)
    actions.reject_request(people.max.actor, request=request, comment="not yet")
    with pytest.raises(Conflict, match="ended"):
        actions.approve_request(people.root.actor, request=request)
    assert Notification.objects.get(user=people.ada.user).text.endswith("enter Production: not yet")


def test_asking_twice_is_refused(people: People, version: ModelVersion) -> None:
    ask(people.ada, version)
    with pytest.raises(AlreadyExists):
        ask(people.ada, version)
    ask(people.ben, version)


def test_what_is_there_is_not_asked_for(people: People, version: ModelVersion) -> None:
    actions.move_version(people.max.actor, version=version, stage="Production")
    with pytest.raises(InvalidInput, match="already"):
        ask(people.ada, version)


def test_who_asked_takes_it_back(people: People, version: ModelVersion) -> None:
    request = ask(people.ada, version)
    with pytest.raises(PermissionDenied):
        actions.cancel_request(people.ben.actor, request=request)
    assert actions.cancel_request(people.ada.actor, request=request).state == "cancelled"


def test_a_direct_move_is_refused_where_a_policy_governs(people: People, version: ModelVersion) -> None:
    set_policy(people)
    with pytest.raises(PermissionDenied, match="governed by a policy"):
        actions.move_version(people.max.actor, version=version, stage="Production", comment="please")


def test_a_changed_policy_begins_a_new_round(people: People, version: ModelVersion, mia: Persona) -> None:
    set_policy(people, approvals=2)
    request = ask(people.ada, version)
    actions.approve_request(people.max.actor, request=request)
    set_policy(people, approvals=1, timeout_hours=5)
    request.refresh_from_db()
    assert (request.round, request.rules["timeout_hours"]) == (2, 5)
    with pytest.raises(Conflict, match="new round"):
        actions.approve_request(mia.actor, request=request, round=1)
    assert actions.approve_request(mia.actor, request=request, round=2).state == "applied"


@pytest.mark.parametrize("crowd", [0, 5])
def test_steps_cost_the_same_however_many_may_decide(
    people: People, version: ModelVersion, crowd: int, django_assert_num_queries: Any
) -> None:
    for number in range(crowd):
        accounts.create_user(
            system_actor(), username=f"m{number}", password=PASSWORD, team=people.forge, role=Role.MAINTAINER
        )
    actions.move_version(people.max.actor, version=version, stage="Production")
    set_policy(people)
    second = make_version(people.ada, version.model)
    ada, max_ = people.ada.actor, people.max.actor
    with django_assert_num_queries(17):
        request = actions.ask(ada, version=second, slot=PRODUCTION)
    with django_assert_num_queries(51):
        actions.approve_request(max_, request=request)
