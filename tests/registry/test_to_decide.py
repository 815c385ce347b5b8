"""The list of what waits for somebody says the same as the rule that decides: asked from both sides, for everybody."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts import actions as accounts
from apps.accounts.kinds import kind_of
from apps.accounts.models import ObjectKind, User
from apps.core.actor import Level, Role, system_actor
from apps.registry import actions, deciding
from apps.registry.models import PromotionRequest
from apps.registry.selectors import approvals
from apps.registry.stages import Slot
from tests.personas import PASSWORD, People, Persona, token_for
from tests.registry.models import make_model, make_version
from tests.registry.web.asking import PRODUCTION, asked_for, make_policy


@pytest.fixture
def everybody(people: People) -> list[Persona]:
    """The personas, an admin of forge, somebody in both teams, somebody to whom things are granted, a service."""
    more = {
        name: accounts.create_user(system_actor(), username=name, password=PASSWORD, team=team, role=role)
        for name, team, role in (
            ("tom", people.forge, Role.ADMIN),
            ("both", people.harbour, Role.MAINTAINER),
            ("gus", people.harbour, Role.VIEWER),
        )
    }
    accounts.add_member(system_actor(), team=people.forge, user=more["both"], role=Role.VIEWER)
    bot = accounts.create_user(
        system_actor(), username="bot", password=None, is_service=True, team=people.forge, role=Role.MAINTAINER
    )
    known = [people.ada, people.ben, people.vera, people.max, people.cleo, people.root]
    return [*known, *(Persona(user, token_for(user)) for user in (*more.values(), bot))]


def both_sides_agree(everybody: list[Persona], request: PromotionRequest) -> set[str]:
    """Who is asked, as the rule has it; fails where the list says otherwise."""
    request = PromotionRequest.objects.select_related("version__model__team", "requester").get(pk=request.pk)
    by_rule = {user.username for user in deciding.approvers_of(request)}
    by_list = {
        one.name for one in everybody if request in set(approvals.to_decide(one.actor)) and not one.user.is_service
    }
    assert by_list == by_rule
    assert {
        one.name for one in everybody if approvals.count_to_decide(one.actor) and not one.user.is_service
    } == by_rule
    return by_rule


@pytest.mark.parametrize("role", ["", "viewer", "member", "maintainer", "admin", "site"])
@pytest.mark.parametrize("self_approval", [True, False])
@pytest.mark.parametrize("named", ["", "team", "group", "both"])
def test_with_a_policy(people: People, everybody: list[Persona], role: str, self_approval: bool, named: str) -> None:
    members = [people.ada.user, people.cleo.user, *User.objects.filter(username__in=["gus", "both"])]
    group = actions.create_group(people.root.actor, name="board", members=members)
    more: dict[str, Any] = {}
    more |= {"approver_team": people.harbour} if named in ("team", "both") else {}
    more |= {"approver_group": group} if named in ("group", "both") else {}
    make_policy(approver_role=role, allows_self_approval=self_approval, **more)
    model = make_model(people.ada)
    gus = next(one for one in everybody if one.name == "gus")
    target = kind_of(ObjectKind.REGISTERED_MODEL).find(people.root.actor, f"id:{model.pk}", Level.MANAGE)
    accounts.give_grant(people.root.actor, target=target, to=gus.user, level=Level.READ)
    met = both_sides_agree(everybody, asked_for(people.ada, make_version(people.ada, model)))
    assert self_approval or "ada" not in met


@pytest.mark.parametrize("level", [Level.READ, Level.EDIT, Level.PRODUCTION, Level.MANAGE])
@pytest.mark.parametrize("slot", [PRODUCTION, Slot.stage("Staging"), Slot.alias("champion")])
def test_by_right_alone(people: People, everybody: list[Persona], level: Level, slot: Slot) -> None:
    model = make_model(people.ada)
    target = kind_of(ObjectKind.REGISTERED_MODEL).find(people.root.actor, f"id:{model.pk}", Level.MANAGE)
    gus = next(one for one in everybody if one.name == "gus")
    accounts.give_grant(people.root.actor, target=target, to=gus.user, level=level)
    both_sides_agree(everybody, asked_for(people.vera, make_version(people.ada, model), slot))


@pytest.mark.parametrize("maker", ["asked", "made"])
def test_what_a_service_account_did_is_its_holders_own(people: People, everybody: list[Persona], maker: str) -> None:
    make_policy(approver_role="maintainer")
    bot = next(one for one in everybody if one.name == "bot")
    model = make_model(people.ada)
    version = make_version(bot if maker == "made" else people.ada, model)
    met = both_sides_agree(everybody, asked_for(bot if maker == "asked" else people.ada, version))
    assert met == {"max"}


@pytest.mark.parametrize("gone", ["ada", "bot"])
def test_where_an_account_is_gone(people: People, everybody: list[Persona], gone: str) -> None:
    make_policy(approver_role="maintainer")
    leaver = next(one for one in everybody if one.name == gone)
    asked = asked_for(people.ben, make_version(leaver, make_model(people.ben)))
    accounts.delete_user(people.root.actor, user=leaver.user)
    both_sides_agree([one for one in everybody if one.name != gone], asked)
