from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.core.actor import Role
from apps.registry import actions
from apps.registry.models import ApproverGroup
from tests.personas import People
from tests.registry.web.asking import HTMX, make_policy

URL = "/settings/approvers/"


@pytest.fixture
def board(people: People) -> ApproverGroup:
    return actions.create_group(people.root.actor, name="board", members=[people.ben.user])


def test_an_administrator_makes_and_changes_one(people: People) -> None:
    browser = people.root.browser()
    browser.post(f"{URL}new/", {"name": "board", "members": "ben, max\nben"})
    board = ApproverGroup.objects.get()
    assert sorted(user.username for user in board.members.all()) == ["ben", "max"]
    assert "ben\nmax" in browser.get(f"{URL}{board.pk}/", headers=HTMX).content.decode()
    browser.post(f"{URL}{board.pk}/", {"name": "council", "members": "max"})
    assert (ApproverGroup.objects.get().name, board.members.count()) == ("council", 1)
    browser.post(f"{URL}{board.pk}/delete/")
    assert not ApproverGroup.objects.exists()


def test_a_team_s_is_its_admins(people: People) -> None:
    people.forge.memberships.filter(user=people.max.user).update(role=Role.ADMIN)
    assert people.ben.browser().post(f"{URL}new/?team=forge", {"name": "x"}).status_code == 403
    assert people.cleo.browser().post(f"{URL}new/?team=forge", {"name": "x"}).status_code == 404
    assert people.max.browser().post(f"{URL}new/?team=forge", {"name": "x"}).status_code == 302
    assert ApproverGroup.objects.get().team == people.forge
    assert "No groups yet" in people.cleo.browser().get(URL).content.decode()


def test_names_are_for_those_who_may_know(people: People, board: ApproverGroup) -> None:
    assert "ben" in people.root.browser().get(URL).content.decode()
    page = people.cleo.browser().get(URL).content.decode()
    assert ("board" in page, "not shown to you" in page, "ben" in page) == (True, True, False)
    assert people.cleo.browser().get(f"{URL}{board.pk}/").status_code == 403


def test_one_that_a_policy_names_stays(people: People, board: ApproverGroup) -> None:
    make_policy(approver_group=board)
    page = people.root.browser().post(f"{URL}{board.pk}/delete/", follow=True).content.decode()
    assert "Policies name the group board" in page
    assert ApproverGroup.objects.exists()


@pytest.mark.parametrize(
    "form",
    [
        {"name": ""},
        {"name": "x" * 101},
        {"name": "a\x00"},
        {"name": "board", "members": "ben"},
        {"name": "new", "members": "nobody-here"},
        {"name": "new", "members": "b\x00n"},
        {"name": "new", "members": "x" * 50_000},
    ],
)
def test_odd_input_is_refused_in_place(people: People, board: ApproverGroup, form: dict[str, str]) -> None:
    assert people.root.browser().post(f"{URL}new/", form, headers=HTMX).status_code == 422
    assert ApproverGroup.objects.count() == 1


@pytest.mark.parametrize("count", [1, 4])
def test_the_number_of_statements_does_not_grow(
    people: People, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    for number in range(count):
        actions.create_group(people.root.actor, name=f"g{number}", members=[people.ben.user, people.max.user])
    browser = people.max.browser()
    browser.get(URL)
    with django_assert_num_queries(7):
        browser.get(URL)


def test_many_are_shown_page_by_page(people: People, board: ApproverGroup) -> None:
    ApproverGroup.objects.bulk_create(
        [ApproverGroup(name=f"g{number:02}", team=people.forge, created_ms=1) for number in range(50)]
    )
    browser = people.root.browser()
    first, second = (browser.get(URL, {"page": page}).content.decode() for page in ("1", "2"))
    assert ("<b>board</b>" in first, "<b>g48</b>" in first, "<b>g49</b>" in first) == (True, True, False)
    assert ("<b>board</b>" in second, "<b>g49</b>" in second) == (False, True)
