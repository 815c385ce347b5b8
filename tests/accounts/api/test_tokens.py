from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts import actions
from apps.accounts.models import Token
from apps.core.actor import Scope, system_actor
from tests.api import call, names
from tests.personas import People, Persona, token_for


def make(who: Persona, **more: Any) -> Any:
    return call(who, "POST", "tokens/", {"name": "ci", **more}, expect=201)


def test_a_token_is_shown_once_works_and_ends(people: People, django_capture_on_commit_callbacks: Any) -> None:
    made = make(people.ada, scopes=["tracking", "read"], team="forge")
    assert made["scopes"] == ["read", "tracking"]
    holder = Persona(people.ada.user, made["token"])
    assert call(holder, "GET", "me/")["username"] == "ada"
    listed = call(people.ada, "GET", "tokens/")["results"]
    assert made["id"] in [token["id"] for token in listed]
    assert made["token"] not in str(listed)
    assert "token" not in call(people.ada, "GET", f"tokens/{made['id']}/")
    with django_capture_on_commit_callbacks(execute=True):
        call(people.ada, "DELETE", f"tokens/{made['id']}/", expect=204)
    call(people.ada, "DELETE", f"tokens/{made['id']}/", expect=204)
    call(holder, "GET", "me/", expect=401)


def test_a_rotated_token_is_a_new_one(people: People) -> None:
    made = make(people.ada)
    fresh = call(people.ada, "POST", f"tokens/{made['id']}/rotate/", expect=201)
    assert fresh["token"] != made["token"]
    assert call(Persona(people.ada.user, fresh["token"]), "GET", "me/")["username"] == "ada"


def test_a_life_that_ends_is_no_longer_than_ten_years(people: People) -> None:
    call(people.ada, "POST", "tokens/", {"name": "x", "expires_at": "9999-12-31T23:59:59Z"}, expect=400)
    longest = (timezone.now() + timedelta(days=3650)).isoformat()
    made = call(people.ada, "POST", "tokens/", {"name": "x", "expires_at": longest}, expect=201)
    call(people.ada, "POST", f"tokens/{made['id']}/rotate/", expect=201)


def test_a_revoked_token_has_no_heir(people: People) -> None:
    made = make(people.ada)
    call(people.ada, "DELETE", f"tokens/{made['id']}/", expect=204)
    call(people.ada, "POST", f"tokens/{made['id']}/rotate/", expect=409)


def test_one_sees_ones_own_tokens(people: People) -> None:
    made = make(people.ada)
    assert set(names(call(people.ben, "GET", "tokens/"), "user")) == {"ben"}
    assert "ada" in names(call(people.root, "GET", "tokens/"), "user")
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "rotate/")):
        call(people.max, method, f"tokens/{made['id']}/{path}", expect=404)
    assert Token.objects.live().filter(pk=made["id"]).exists()


def test_nobody_makes_tokens_for_others(people: People) -> None:
    for who in (people.max, people.root):
        call(who, "POST", "tokens/", {"name": "x", "user": "ada"}, expect=403)


def test_a_token_that_monitoring_reads_by_is_an_administrators(people: People) -> None:
    """What it reads tells of all teams."""
    for scopes in (["metrics"], ["read", "metrics"]):
        for who in (people.cleo, people.vera, people.ben, people.max, people.ada):
            said = call(who, "POST", "tokens/", {"name": "x", "scopes": scopes}, expect=403)
            assert "administrator" in said["message"]
    made = make(people.root, scopes=["metrics"])
    assert Persona(people.root.user, made["token"]).request("GET", "/metrics").status_code == 200


def test_a_service_account_gets_none_either(people: People) -> None:
    actions.create_user(system_actor(), username="bot", password=None, team=people.forge, is_service=True)
    for who in (people.ada, people.root):
        call(who, "POST", "tokens/", {"name": "x", "user": "bot", "scopes": ["metrics"]}, expect=403)


@pytest.mark.parametrize("scope", [Scope.READ, Scope.TRACKING, Scope.SERVE])
def test_a_token_of_limited_scope_makes_no_tokens(people: People, scope: Scope) -> None:
    limited = Persona(people.ada.user, token_for(people.ada.user, scope))
    call(limited, "POST", "tokens/", {"name": "x"}, expect=403)
    call(limited, "GET", "tokens/", expect=200 if scope is Scope.READ else 403)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x" * 101},
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": ["king"]},
        {"name": "x", "scopes": "all"},
        {"name": "x", "expires_at": "2001-01-01T00:00:00Z"},
        {"name": "x", "expires_at": "soon"},
        {"name": "x\u0000"},
    ],
)
def test_bad_input_makes_no_token(people: People, body: object) -> None:
    before = Token.objects.count()
    call(people.ada, "POST", "tokens/", body, expect=400)
    assert Token.objects.count() == before


def test_a_team_one_is_not_in(people: People) -> None:
    call(people.ada, "POST", "tokens/", {"name": "x", "team": "harbour"}, expect=404)
