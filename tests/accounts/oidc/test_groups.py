"""What the groups of the provider make of people: teams, roles, administrators, and what they leave alone."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts import actions
from apps.accounts.models import Membership, User
from apps.accounts.oidc.mapping import GroupMapping
from apps.audit.models import Event
from apps.core.actor import Role, system_actor
from tests.accounts.oidc.fake import Fake, signing_in_with
from tests.personas import People, Persona

MAPPING = "ml=forge:member; ml-leads=forge:maintainer; /ops/root=admin"


def come(fake: Fake, person: Persona, groups: Any, mapping: str = MAPPING, **config: Any) -> Any:
    """A persona signs in by the provider, which says these groups; the answer."""
    actions.link_identity(system_actor(), user=person.user, issuer=fake.issuer, subject=person.name)
    claims = {"sub": person.name} | ({"groups": groups} if groups is not None else {})
    with signing_in_with(fake, mapping, **config):
        return fake.sign_in(claims)[1]


def roles(person: Persona) -> dict[str, str]:
    return dict(Membership.objects.filter(user=person.user).values_list("team__name", "role"))


def last_codes(person: Persona, count: int) -> list[str]:
    of = Event.objects.filter(object_id=str(person.user.pk), object_kind="user").order_by("-pk")[:count]
    return [event.code for event in reversed(of)]


def test_joining_with_the_highest_role(people: People, fake: Fake) -> None:
    come(fake, people.cleo, ["ml", "ml-leads", "others"])
    assert roles(people.cleo) == {"harbour": "member", "forge": "maintainer"}
    assert last_codes(people.cleo, 2) == ["team.member_added", "user.signed_in"]
    added = Event.objects.filter(code="team.member_added", object_name="cleo").latest("pk")
    assert (added.actor_name, added.team_name, added.after) == ("openid-connect", "forge", {"role": "maintainer"})


def test_another_role(people: People, fake: Fake) -> None:
    come(fake, people.max, ["ml"])
    assert roles(people.max) == {"forge": "member"}
    assert last_codes(people.max, 2) == ["team.member_changed", "user.signed_in"]


def test_nothing_to_change_changes_nothing(people: People, fake: Fake) -> None:
    come(fake, people.ada, ["ml"])
    assert last_codes(people.ada, 2) == ["user.identity_linked", "user.signed_in"]


@pytest.mark.parametrize("groups", [[], ["others"], None, {"odd": 1}, 7])
def test_leaving_what_a_rule_names_and_nothing_else(people: People, fake: Fake, groups: Any) -> None:
    actions.add_member(system_actor(), team=people.harbour, user=people.ada.user, role=Role.VIEWER)
    assert come(fake, people.ada, groups).status_code == 302
    assert roles(people.ada) == {"harbour": "viewer"}
    people.ada.user.refresh_from_db()
    assert people.ada.user.home_team == people.harbour
    assert last_codes(people.ada, 2) == ["team.member_removed", "user.signed_in"]


def test_the_home_team_is_never_one_that_was_left(people: People, fake: Fake) -> None:
    actions.add_member(system_actor(), team=people.harbour, user=people.ada.user, role=Role.VIEWER)
    come(fake, people.ada, [], "ml=forge:member; port=harbour:member")
    people.ada.user.refresh_from_db()
    assert (roles(people.ada), people.ada.user.home_team) == ({}, None)


def test_a_token_loses_what_its_owner_lost(people: People, fake: Fake, django_capture_on_commit_callbacks: Any) -> None:
    experiment = people.ada.call("POST", "experiments/create", {"name": "iris"})["experiment_id"]
    people.ben.call("GET", "experiments/get", {"experiment_id": experiment})
    with django_capture_on_commit_callbacks(execute=True):
        come(fake, people.ben, [])
    people.ben.call("GET", "experiments/get", {"experiment_id": experiment}, expect=404)


def test_administrators_come_and_go(people: People, fake: Fake) -> None:
    come(fake, people.cleo, "/ops/root")
    people.cleo.user.refresh_from_db()
    assert people.cleo.user.is_superuser
    come(fake, people.cleo, [])
    people.cleo.user.refresh_from_db()
    assert not people.cleo.user.is_superuser
    assert last_codes(people.cleo, 2) == ["user.admin_changed", "user.signed_in"]


def test_the_last_administrator_stays_and_it_is_said(people: People, fake: Fake) -> None:
    assert come(fake, people.root, []).status_code == 302
    people.root.user.refresh_from_db()
    assert people.root.user.is_superuser
    assert last_codes(people.root, 2) == ["user.admin_kept", "user.signed_in"]


def test_without_a_rule_for_administrators_they_are_left_alone(people: People, fake: Fake) -> None:
    come(fake, people.root, [], "ml=forge:member")
    people.root.user.refresh_from_db()
    assert people.root.user.is_superuser
    assert last_codes(people.root, 1) == ["user.signed_in"]


def test_without_a_mapping_groups_mean_nothing(people: People, fake: Fake) -> None:
    come(fake, people.ada, [], "")
    assert roles(people.ada) == {"forge": "member"}


def test_everybody_and_teams_that_are_not_there(people: People, fake: Fake) -> None:
    come(fake, people.cleo, [], "*=forge:viewer; ml=foundry:member")
    assert roles(people.cleo) == {"harbour": "member", "forge": "viewer"}


@pytest.mark.parametrize(
    ("name", "claims"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["ml"]}}),
        ("https://slipway.example.org/groups", {"https://slipway.example.org/groups": ["ml"]}),
    ],
)
def test_groups_in_other_places(people: People, fake: Fake, name: str, claims: dict[str, Any]) -> None:
    fake.userinfo = claims
    come(fake, people.cleo, None, groups_claim=name)
    assert roles(people.cleo)["forge"] == "member"


def test_too_many_groups_to_be_told_are_not_none(people: People, fake: Fake) -> None:
    fake.token = {"_claim_names": {"groups": "src1"}}
    answer = come(fake, people.ada, None)
    assert (answer.status_code, roles(people.ada)) == (403, {"forge": "member"})
    assert "more groups than the provider tells" in answer.content.decode()


def test_a_new_person_gets_all_at_once(people: People, fake: Fake) -> None:
    with signing_in_with(fake, MAPPING):
        fake.sign_in({"sub": "e-1", "preferred_username": "eve", "groups": ["ml", "/ops/root"]})
    eve = User.objects.get(username="eve")
    assert (eve.is_superuser, eve.home_team) == (True, people.forge)


def test_statements_do_not_grow_with_rules(people: People, fake: Fake, django_assert_max_num_queries: Any) -> None:
    many = MAPPING + "".join(f"; g{number}=team-{number}:member" for number in range(100))
    come(fake, people.ada, ["ml"], many)
    with django_assert_max_num_queries(50):
        come(fake, people.ada, ["ml", *(f"g{number}" for number in range(100))], many)


def test_the_mapping_reads_names_of_all_kinds() -> None:
    text = "cn=ml,ou=groups,dc=example=forge:viewer\n  Data Science = forge:admin ;; 6f1c-22=admin"
    rules = [(rule.group, rule.team, rule.role.value) for rule in GroupMapping.parse(text).rules]
    assert rules == [
        ("cn=ml,ou=groups,dc=example", "forge", "viewer"),
        ("Data Science", "forge", "admin"),
        ("6f1c-22", "", "admin"),
    ]


@pytest.mark.parametrize("text", ["ml", "ml=forge", "ml=forge:root", "ml=Forge:member", "=forge:member", "*=admin"])
def test_a_mapping_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not of the form|names no team:role|everybody"):
        GroupMapping.parse(text)
