from __future__ import annotations

import pytest

from apps.audit.models import Event
from tests.api import call, names
from tests.personas import PASSWORD, People

NEW = {"username": "nina", "password": PASSWORD}


def test_an_administrator_makes_changes_and_deletes_a_user(people: People) -> None:
    made = call(people.root, "POST", "users/", {**NEW, "team": "forge", "role": "viewer"}, expect=201)
    assert (made["username"], made["is_admin"], made["is_service"]) == ("nina", False, False)
    assert "password" not in made
    assert call(people.root, "PATCH", "users/nina/", {"is_active": False})["is_active"] is False
    assert call(people.root, "PATCH", "users/nina/", {"is_admin": True})["is_admin"] is True
    call(people.root, "DELETE", "users/nina/", expect=204)
    call(people.root, "GET", "users/nina/", expect=404)
    assert Event.objects.filter(code="user.deleted", object_name="nina", actor_name="root").count() == 1


def test_a_service_account_has_no_password(people: People) -> None:
    call(people.root, "POST", "users/", {**NEW, "is_service": True, "team": "forge"}, expect=400)
    call(people.root, "POST", "users/", {"username": "bot", "is_service": True}, expect=400)
    made = call(people.root, "POST", "users/", {"username": "bot", "is_service": True, "team": "forge"}, expect=201)
    assert made["is_service"] is True


def test_a_service_account_never_administers_the_site(people: People) -> None:
    bot = {"username": "bot", "is_service": True, "team": "forge"}
    call(people.root, "POST", "users/", {**bot, "is_admin": True}, expect=400)
    call(people.root, "POST", "users/", bot, expect=201)
    call(people.root, "PATCH", "users/bot/", {"is_admin": True}, expect=400)


def test_a_change_that_is_refused_in_part_changes_nothing(people: People) -> None:
    call(people.root, "POST", "users/", {"username": "bot", "is_service": True, "team": "forge"}, expect=201)
    call(people.root, "PATCH", "users/bot/", {"is_active": False, "is_admin": True}, expect=400)
    assert call(people.root, "GET", "users/bot/")["is_active"] is True


def test_one_sees_the_people_of_ones_teams(people: People) -> None:
    assert names(call(people.vera, "GET", "users/"), "username") == ["ada", "ben", "max", "vera"]
    assert len(call(people.root, "GET", "users/")["results"]) == 6
    assert call(people.vera, "GET", "users/ada/")["username"] == "ada"
    call(people.cleo, "GET", "users/ada/", expect=404)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "users/", NEW),
        ("PATCH", "users/ada/", {"is_admin": True}),
        ("PATCH", "users/max/", {"is_admin": True}),
        ("DELETE", "users/ada/", None),
    ],
)
def test_only_administrators_write(people: People, method: str, path: str, body: object) -> None:
    call(people.max, method, path, body, expect=403)
    call(people.cleo, method, path, body, expect=403 if method == "POST" else 404)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "nina"},
        {"username": "nina", "password": "short"},
        {**NEW, "username": "x\u0000"},
        {**NEW, "username": "x" * 151},
        {**NEW, "role": "king", "team": "forge"},
        {**NEW, "is_admin": "perhaps"},
        [],
        "x",
        None,
    ],
)
def test_bad_input_makes_nobody(people: People, body: object) -> None:
    answer = call(people.root, "POST", "users/", "null" if body is None else body, expect=400)
    assert answer["error_code"] in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST")
    assert answer["message"]
    call(people.root, "GET", "users/nina/", expect=404)


def test_a_name_is_taken_once(people: People) -> None:
    answer = call(people.root, "POST", "users/", {"username": "ada", "password": PASSWORD}, expect=400)
    assert answer["error_code"] == "RESOURCE_ALREADY_EXISTS"


def test_the_last_administrator_stays(people: People) -> None:
    call(people.root, "PATCH", "users/root/", {"is_admin": False}, expect=409)


def test_pages_lead_on(people: People) -> None:
    found: list[str] = []
    query: dict[str, object] = {"page_size": 2}
    while True:
        page = call(people.root, "GET", "users/", query)
        found += names(page, "username")
        if page["next_page_token"] is None:
            break
        query["page_token"] = page["next_page_token"]
    assert found == ["ada", "ben", "cleo", "max", "root", "vera"]


@pytest.mark.parametrize("size", ["0", "-1", "1001", "abc", "1e3", str(2**63), ""])
def test_page_sizes(people: People, size: str) -> None:
    call(people.root, "GET", "users/", {"page_size": size}, expect=200 if size == "" else 400)


def test_a_token_of_another_list_or_caller_leads_nowhere(people: People) -> None:
    token = call(people.root, "GET", "users/", {"page_size": 1})["next_page_token"]
    for who, path in ((people.root, "teams/"), (people.vera, "users/")):
        answer = call(who, "GET", path, {"page_token": token}, expect=400)
        assert answer["error_code"] == "INVALID_PARAMETER_VALUE"
    for junk in ("x", "1", "' OR 1=1 --", "gASVCg==", "a" * 100_000, "\u0000"):
        call(people.root, "GET", "users/", {"page_token": junk}, expect=400)
