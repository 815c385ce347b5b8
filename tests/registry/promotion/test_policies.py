"""Which policy governs, and whose a request is."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts import actions as accounts
from apps.audit.models import Event
from apps.core.actor import Level, Role, system_actor
from apps.core.errors import Conflict, InvalidInput, PermissionDenied
from apps.registry import actions, deciding
from apps.registry.models import ModelVersion, Policy, PromotionRequest, RegisteredModel
from apps.registry.policies import PolicyBook, Rules
from apps.registry.stages import Slot
from tests.personas import PASSWORD, People, Persona
from tests.registry.promotion.making import PRODUCTION, STAGING, make_model, make_version, set_policy, stage_of

ALIAS = Slot.alias("Production")


@pytest.fixture
def model(people: People) -> RegisteredModel:
    return make_model(people.ada)


def set_for(people: People, slot: Slot, approvals: int, **more: Any) -> Policy:
    """A policy of a team or a model where one is given."""
    owner = {name: more.pop(name) for name in ("team", "model") if name in more}
    rules = Rules(approvals=approvals, approver_role="maintainer", **more)
    return actions.set_policy(people.root.actor, slot=slot, rules=rules, **owner)


def approvals(model: RegisteredModel, slot: Slot, leaving: Slot | None = None) -> tuple[str, int]:
    rules = PolicyBook.load(model).rules(slot, leaving)
    return rules.scope, rules.approvals


def test_the_nearest_governs(people: People, model: RegisteredModel) -> None:
    assert approvals(model, PRODUCTION) == ("", 1)
    owners: list[tuple[str, dict[str, Any]]] = [
        ("site", {}),
        ("team", {"team": people.forge}),
        ("model", {"model": model}),
    ]
    for number, (scope, owner) in enumerate(owners):
        set_for(people, PRODUCTION, number + 1, **owner)
        assert approvals(model, PRODUCTION) == (scope, number + 1)
    assert approvals(model, STAGING) == ("", 1)


def test_a_final_one_is_not_overruled(people: People, model: RegisteredModel) -> None:
    set_for(people, PRODUCTION, 1, model=model)
    set_for(people, PRODUCTION, 2, team=people.forge, is_final=True)
    assert approvals(model, PRODUCTION) == ("team", 2)
    set_for(people, PRODUCTION, 3, is_final=True)
    assert approvals(model, PRODUCTION) == ("site", 3)


def test_an_alias_called_like_a_stage_is_governed_like_it(people: People, model: RegisteredModel) -> None:
    set_for(people, PRODUCTION, 2)
    assert approvals(model, ALIAS) == approvals(model, Slot.alias("production")) == ("site", 2)
    assert approvals(model, Slot.alias("staging")) == ("", 1)
    set_for(people, ALIAS, 1, model=model)
    assert (approvals(model, ALIAS), approvals(model, Slot.alias("production"))) == (("model", 1), ("site", 2))
    set_for(people, PRODUCTION, 3, is_final=True)
    assert approvals(model, ALIAS) == ("site", 3)


def test_of_two_ends_the_one_that_demands_more_has_the_say(people: People, model: RegisteredModel) -> None:
    set_for(people, PRODUCTION, 3, override_by="maintainer", gates=({"kind": "signature", "params": {}},))
    set_for(people, STAGING, 1, override_by="admin")
    rules = PolicyBook.load(model).rules(STAGING, PRODUCTION)
    assert (rules.approvals, rules.override_by, rules.gates) == (3, "admin", ())
    rules = PolicyBook.load(model).rules(PRODUCTION, STAGING)
    assert (rules.approvals, len(rules.gates)) == (3, 1)
    assert approvals(model, Slot.stage("Archived"), PRODUCTION) == ("site", 3)


def test_books_of_many_models_cost_one_statement(people: People, django_assert_num_queries: Any) -> None:
    models = [make_model(people.ada, f"iris-{number}") for number in range(5)]
    set_for(people, PRODUCTION, 2, model=models[0])
    with django_assert_num_queries(1):
        books = PolicyBook.load_many(models)
    assert [books[model.pk].governs(PRODUCTION) for model in models] == [True, *[False] * 4]


def test_setting_the_same_again_changes_and_records_nothing(people: People, model: RegisteredModel) -> None:
    first = set_for(people, PRODUCTION, 2)
    again = set_for(people, PRODUCTION, 2)
    assert (again.pk, again.revision) == (first.pk, 1)
    assert Event.objects.filter(code="policy.set").count() == 1


def test_what_the_writer_has_not_seen_is_not_undone(people: People, model: RegisteredModel) -> None:
    first = actions.set_policy(people.root.actor, slot=PRODUCTION, rules=Rules(approver_role="admin"), seen=0)
    for seen, words in ((0, "There is a policy of Production already"), (7, "root changed this policy meanwhile")):
        with pytest.raises(Conflict, match=words):
            actions.set_policy(people.root.actor, slot=PRODUCTION, rules=Rules(approver_role="member"), seen=seen)
    first.delete()
    with pytest.raises(Conflict, match="Somebody removed this policy"):
        actions.set_policy(people.root.actor, slot=PRODUCTION, rules=Rules(approver_role="member"), seen=1)
    assert not Policy.objects.exists()


def test_a_team_administrator_sets_those_of_the_team(people: People, model: RegisteredModel) -> None:
    accounts.set_role(system_actor(), team=people.forge, user=people.ben.user, role=Role.ADMIN)
    rules = Rules(approver_role="admin")
    actions.set_policy(people.ben.actor, slot=PRODUCTION, rules=rules, team=people.forge)
    with pytest.raises(PermissionDenied):
        actions.set_policy(people.ben.actor, slot=PRODUCTION, rules=rules)
    with pytest.raises(PermissionDenied):
        actions.set_policy(people.max.actor, slot=PRODUCTION, rules=rules, model=model)


def test_a_group_of_another_team_approves_nothing_here(people: People, model: RegisteredModel) -> None:
    group = actions.create_group(people.root.actor, name="theirs", team=people.harbour, members=[people.cleo.user])
    rules = Rules(approver_group=group.pk)
    with pytest.raises(InvalidInput, match="approver_group"):
        actions.set_policy(people.root.actor, slot=PRODUCTION, rules=rules, team=people.forge)


def robot(people: People, role: Role = Role.MEMBER) -> Persona:
    """A service account of forge."""
    user = accounts.create_user(
        system_actor(), username="bot", password=None, is_service=True, team=people.forge, role=role
    )
    return Persona(user, "")


def lead(people: People) -> Persona:
    """An administrator of forge, who holds its service accounts."""
    user = accounts.create_user(system_actor(), username="lea", password=PASSWORD, team=people.forge, role=Role.ADMIN)
    return Persona(user, "")


def asked(who: Persona, version: ModelVersion) -> PromotionRequest:
    return actions.ask(who.actor, version=version, slot=PRODUCTION)


def test_what_a_service_account_asked_is_its_holders_own(people: People, model: RegisteredModel) -> None:
    set_policy(people)
    bot, lea = robot(people), lead(people)
    by_bot = asked(bot, make_version(people.ada, model))
    made_by_bot = asked(people.ada, make_version(bot, model))
    for request in (by_bot, made_by_bot):
        for holder in (lea, people.root):
            assert not deciding.may_decide(holder.actor, request)
            with pytest.raises(Conflict, match="hold the service account"):
                actions.approve_request(holder.actor, request=request)
        assert actions.approve_request(people.max.actor, request=request).state == "applied"


def test_it_stays_so_when_the_account_is_gone(people: People, model: RegisteredModel) -> None:
    set_policy(people)
    bot, lea = robot(people), lead(people)
    request = asked(bot, make_version(people.ada, model))
    accounts.delete_user(system_actor(), user=bot.user)
    request.refresh_from_db()
    with pytest.raises(Conflict):
        actions.approve_request(lea.actor, request=request)
    assert actions.approve_request(people.max.actor, request=request).state == "applied"


def test_a_service_account_never_decides(people: People, model: RegisteredModel) -> None:
    bot = robot(people, Role.ADMIN)
    for governed in (False, True):
        if governed:
            set_policy(people)
        request = asked(people.ada, make_version(people.ada, model))
        for decide in (actions.approve_request, actions.reject_request):
            with pytest.raises(PermissionDenied, match="service account never decides"):
                decide(bot.actor, request=request)


def test_self_approval_where_the_policy_lets(people: People, model: RegisteredModel) -> None:
    set_policy(people, allows_self_approval=True)
    request = asked(people.max, make_version(people.max, model))
    assert actions.approve_request(people.max.actor, request=request).state == "applied"


def test_who_is_an_approver_no_more_does_not_count(people: People, model: RegisteredModel) -> None:
    set_policy(people, approvals=2)
    lea = lead(people)
    request = asked(people.ada, make_version(people.ada, model))
    actions.approve_request(people.max.actor, request=request)
    accounts.set_role(system_actor(), team=people.forge, user=people.max.user, role=Role.MEMBER)
    assert actions.approve_request(lea.actor, request=request).state == "open"
    assert actions.approve_request(people.root.actor, request=request).state == "applied"


def test_approvers_of_another_team_have_to_see_the_model(people: People, model: RegisteredModel) -> None:
    set_policy(people, approver_role="", approver_team=people.harbour.pk)
    request = asked(people.ada, make_version(people.ada, model))
    assert {user.username for user in deciding.approvers_of(request)} == {"root"}
    target = {"kind": "registered_model", "object_id": model.name, "user": "cleo", "level": "read"}
    assert people.max.request("POST", "/api/v1/grants/", target).status_code == 201
    assert actions.approve_request(people.cleo.actor, request=request).state == "applied"
    assert stage_of(request.version) == "Production"


def test_asking_wants_the_level_of_the_policy(people: People, model: RegisteredModel) -> None:
    version = make_version(people.ada, model)
    set_policy(people, ask_level=Level.EDIT.value)
    with pytest.raises(PermissionDenied):
        asked(people.vera, version)
    set_policy(people, ask_level=Level.READ.value)
    assert asked(people.vera, version).is_open


def test_a_request_that_ran_out(people: People, model: RegisteredModel) -> None:
    set_policy(people, timeout_hours=1)
    request = asked(people.ada, make_version(people.ada, model))
    assert actions.expire_requests(system_actor()) == 0
    PromotionRequest.objects.update(expires_ms=1)
    with pytest.raises(Conflict, match="time of this request is over"):
        actions.approve_request(people.max.actor, request=request)
    assert actions.expire_requests(system_actor()) == 1
    request.refresh_from_db()
    assert (request.state, request.closed_by) == ("expired", "system")


def test_only_the_requests_that_it_reaches_begin_anew(people: People) -> None:
    set_policy(people, approvals=2)
    model = make_model(people.ada, "iris")
    for _ in range(3):
        asked(people.ada, make_version(people.ada, model))
    other = asked(people.cleo, make_version(people.cleo, make_model(people.cleo, "lily")))
    set_for(people, PRODUCTION, 1, team=people.forge)
    assert list(PromotionRequest.objects.order_by("pk").values_list("round", flat=True)) == [2, 2, 2, 1]
    actions.delete_policy(people.root.actor, policy=Policy.objects.get(team=people.forge))
    other.refresh_from_db()
    assert (other.round, PromotionRequest.objects.filter(round=3).count()) == (1, 3)
