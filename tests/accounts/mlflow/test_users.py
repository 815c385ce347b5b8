from __future__ import annotations

import pytest

from tests.personas import PASSWORD, People

PHRASE = "another fine phrase"


def test_an_administrator_makes_somebody_who_sees_nothing_yet(people: People) -> None:
    user = people.root.call("POST", "users/create", {"username": "eve", "password": PHRASE})["user"]
    assert (user["username"], user["is_admin"], user["experiment_permissions"]) == ("eve", False, [])
    assert "password" not in user


@pytest.mark.parametrize(
    ("username", "password", "code"),
    [
        ("ada", PHRASE, "RESOURCE_ALREADY_EXISTS"),
        ("", PHRASE, "INVALID_PARAMETER_VALUE"),
        ("eve", "", "INVALID_PARAMETER_VALUE"),
        ("eve", "short", "INVALID_PARAMETER_VALUE"),
        ("eve", "password1234", "INVALID_PARAMETER_VALUE"),
        ("e v e", PHRASE, "INVALID_PARAMETER_VALUE"),
        ("e" * 151, PHRASE, "INVALID_PARAMETER_VALUE"),
    ],
)
def test_bad_new_users(people: People, username: str, password: str, code: str) -> None:
    body = {"username": username, "password": password}
    assert people.root.call("POST", "users/create", body, expect=400)["error_code"] == code


def test_ones_own_password_wants_the_old_one(people: People) -> None:
    body = {"username": "ada", "password": PHRASE}
    people.ada.call("PATCH", "users/update-password", body, expect=400)
    people.ada.call("PATCH", "users/update-password", {**body, "current_password": "wrong"}, expect=400)
    people.ada.call("PATCH", "users/update-password", {**body, "current_password": PASSWORD})
    people.ada.user.refresh_from_db()
    assert people.ada.user.check_password(PHRASE)


def test_the_last_administrator_stays(people: People) -> None:
    demote = {"username": "root", "is_admin": False}
    assert people.root.call("PATCH", "users/update-admin", demote, expect=409)["error_code"] == "RESOURCE_CONFLICT"
    people.root.call("PATCH", "users/update-admin", {"username": "ada", "is_admin": True})
    people.root.call("PATCH", "users/update-admin", demote)
    people.root.user.refresh_from_db()
    assert not people.root.user.is_superuser


def test_nobody_deletes_the_own_account(people: People) -> None:
    assert people.root.call("DELETE", "users/delete", {"username": "root"}, expect=400)["error_code"] == "BAD_REQUEST"


def test_what_a_deleted_user_made_stays(people: People) -> None:
    made = people.ada.call("POST", "experiments/create", {"name": "iris"})["experiment_id"]
    people.root.call("DELETE", "users/delete", {"username": "ada"})
    people.ben.call("GET", "experiments/get", {"experiment_id": made})
    people.root.call("GET", "users/get", {"username": "ada"}, expect=404)


def test_lists_show_those_one_may_know(people: People) -> None:
    names = {user["username"] for user in people.cleo.call("GET", "users/list")["users"]}
    assert names == {"cleo", "root"}
    assert len(people.root.call("GET", "users/list")["users"]) == 6
