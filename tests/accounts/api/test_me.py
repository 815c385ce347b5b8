from __future__ import annotations

from django.test import Client

from apps.core.actor import Scope
from tests.api import call
from tests.personas import People, Persona, token_for


def test_who_am_i(people: People) -> None:
    assert call(people.ada, "GET", "me/") == {
        "username": "ada",
        "is_admin": False,
        "via": "token",
        "scopes": ["all"],
        "team": "forge",
        "teams": [{"name": "forge", "role": "member"}],
    }


def test_the_header_names_another_team(people: People) -> None:
    assert call(people.root, "GET", "me/", x_mlflow_workspace="forge")["team"] == "forge"
    call(people.ada, "GET", "me/", x_mlflow_workspace="harbour", expect=404)


def test_a_tracking_token_may_not_ask(people: People) -> None:
    tracking = Persona(people.ada.user, token_for(people.ada.user, Scope.TRACKING))
    call(tracking, "GET", "me/", expect=403)


def test_strangers_are_refused() -> None:
    response = Client().get("/api/v1/me/")
    assert (response.status_code, response.json()["error_code"]) == (401, "UNAUTHENTICATED")


def test_a_session_works_and_writes_only_with_the_pages_secret(people: People) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(people.ada.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert browser.get("/api/v1/me/").json()["via"] == "session"
    response = browser.post("/api/v1/tokens/", {"name": "x"}, content_type="application/json")
    assert (response.status_code, response.json()["error_code"]) == (403, "PERMISSION_DENIED")
