from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from apps.accounts import actions
from apps.accounts.models import Grant, Token, User
from apps.audit.models import Event
from apps.core.actor import Actor, Role, system_actor
from apps.core.errors import Conflict, DomainError, InvalidInput
from tests.experiments.runs import make_run
from tests.personas import PASSWORD, People

LEAVES: dict[str, Callable[[Actor, User], None]] = {
    "demoted": lambda actor, user: actions.set_admin(actor, user=user, is_admin=False),
    "disabled": lambda actor, user: actions.set_active(actor, user=user, is_active=False),
    "deleted": lambda actor, user: actions.delete_user(actor, user=user),
}


@pytest.mark.parametrize("how", LEAVES)
def test_the_last_administrator_stays(people: People, how: str) -> None:
    second = actions.create_user(system_actor(), username="second", password=PASSWORD, is_admin=True)
    actions.set_active(system_actor(), user=second, is_active=False)
    before = Event.objects.count()
    with pytest.raises(Conflict):
        LEAVES[how](system_actor(), people.root.user)
    assert User.objects.filter(username="root", is_superuser=True, is_active=True).exists()
    assert Event.objects.count() == before
    actions.set_active(system_actor(), user=second, is_active=True)
    LEAVES[how](system_actor(), people.root.user)
    assert not User.objects.filter(username="root", is_superuser=True, is_active=True).exists()


def test_what_somebody_made_outlives_the_account(people: People) -> None:
    run_id = make_run(people.ada)
    actions.delete_user(people.root.actor, user=people.ada.user)
    assert people.ben.call("GET", "runs/get", {"run_id": run_id})["run"]["info"]["user_id"] == "ada"
    assert not Token.objects.filter(name="test", user__username="ada").exists()
    assert not Grant.objects.filter(user__username="ada").exists()


def test_who_leaves_the_team_loses_what_was_made_there(
    people: People, django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]]
) -> None:
    run_id = make_run(people.ada)
    people.ada.call("GET", "runs/get", {"run_id": run_id})
    with django_capture_on_commit_callbacks(execute=True):
        actions.remove_member(people.root.actor, team=people.forge, user=people.ada.user)
    people.ada.call("GET", "runs/get", {"run_id": run_id}, expect=404)
    with django_capture_on_commit_callbacks(execute=True):
        actions.add_member(people.root.actor, team=people.forge, user=people.ada.user, role=Role.VIEWER)
    people.ada.call("POST", "runs/set-tag", {"run_id": run_id, "key": "k", "value": "v"}, expect=403)
    people.ada.call("POST", "runs/delete", {"run_id": run_id}, expect=403)


@pytest.mark.parametrize(("username", "password"), [("a b", PASSWORD), ("x" * 151, PASSWORD), ("nina", "short")])
def test_an_account_that_is_refused_leaves_nothing(people: People, username: str, password: str) -> None:
    before = Event.objects.count()
    with pytest.raises(InvalidInput):
        actions.create_user(people.root.actor, username=username, password=password, team=people.forge)
    assert Event.objects.count() == before


def test_a_name_is_taken_once(people: People) -> None:
    before = Event.objects.count()
    with pytest.raises(DomainError, match="already exists"):
        actions.create_user(people.root.actor, username="ada", password=PASSWORD, team=people.harbour)
    assert Event.objects.count() == before
