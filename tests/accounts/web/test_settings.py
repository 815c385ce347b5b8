from __future__ import annotations

import re

import pytest

from apps.accounts import actions
from apps.accounts.models import Grant, Membership, Token, User
from apps.accounts.sessions import browser_named
from apps.core.actor import Role, system_actor
from tests.personas import PASSWORD, People, Persona


def test_a_token_is_shown_once_and_works(people: People) -> None:
    browser = people.ada.browser()
    form = {"name": "laptop", "scopes": ["read"], "team": people.forge.pk, "expires": "30"}
    page = browser.post("/settings/tokens/new/", form)
    text = re.search(r"slw_\w{12}_\w{40}", page.content.decode())
    assert text
    assert page["Cache-Control"] == "no-store"
    assert "MLFLOW_TRACKING_TOKEN" in page.content.decode()
    assert text[0] not in browser.get("/settings/tokens/").content.decode()
    Persona(people.ada.user, text[0]).call("GET", "users/current")


@pytest.mark.parametrize(
    "change", [{"name": ""}, {"scopes": []}, {"scopes": ["root"]}, {"team": "0"}, {"expires": "7"}]
)
def test_bad_tokens_are_refused_beside_the_field(people: People, change: dict[str, object]) -> None:
    form = {"name": "laptop", "scopes": ["read"], "team": people.forge.pk, "expires": "30", **change}
    page = people.ada.browser().post("/settings/tokens/new/", form)
    assert page.status_code == 422
    assert page.context["form"].errors.keys() == change.keys()
    assert Token.objects.filter(name="laptop").count() == 0


def test_the_scope_of_monitoring_is_offered_to_administrators(people: People) -> None:
    form = {"name": "x", "scopes": ["metrics"], "team": people.forge.pk, "expires": "90"}
    refused = people.ada.browser().post("/settings/tokens/new/", form)
    assert "scopes" in refused.context["form"].errors
    page = people.ada.browser().get("/settings/tokens/new/").content.decode()
    assert 'value="metrics"' not in page and "The scope metrics is for tokens of administrators" in page
    assert 'value="metrics"' in people.root.browser().get("/settings/tokens/new/").content.decode()
    assert people.root.browser().post("/settings/tokens/new/", form).status_code == 200


def test_nobody_makes_tokens_of_others(people: People) -> None:
    assert people.max.browser().get("/settings/tokens/new/?for=ada").status_code == 403
    assert people.root.browser().get("/settings/tokens/new/?for=ada").status_code == 403


def test_a_team_admin_runs_the_team(people: People) -> None:
    actions.set_role(system_actor(), team=people.forge, user=people.max.user, role=Role.ADMIN)
    browser = people.max.browser()
    assert browser.post("/settings/teams/forge/members/add/", {"username": "cleo", "role": "viewer"}).status_code == 302
    assert Membership.objects.get(team=people.forge, user=people.cleo.user).role == "viewer"
    assert browser.post("/settings/teams/forge/services/new/", {"username": "ci", "role": "member"}).status_code == 302
    made = browser.post(
        "/settings/tokens/new/?for=ci", {"name": "x", "scopes": ["all"], "team": people.forge.pk, "expires": "never"}
    )
    assert made.status_code == 200
    assert browser.post("/settings/teams/forge/services/ci/delete/").status_code == 302
    assert not User.objects.filter(username="ci").exists()


def test_nobody_of_that_name_and_twice(people: People) -> None:
    browser = people.root.browser()
    for name in ("nobody", "ben"):
        page = browser.post("/settings/teams/forge/members/add/", {"username": name, "role": "viewer"})
        assert page.status_code == 422
        assert "username" in page.context["form"].errors


def test_switching_the_team_changes_what_pages_show(people: People) -> None:
    actions.add_member(system_actor(), team=people.harbour, user=people.ada.user, role=Role.VIEWER)
    browser = people.ada.browser()
    answer = browser.post("/settings/teams/_switch/", {"team": people.harbour.pk, "next": "//evil.example"})
    assert answer["Location"] == "/"
    assert browser.get("/settings/").context["current_team"] == people.harbour
    assert browser.post("/settings/teams/_switch/", {"team": "x"}).status_code == 404


def test_sharing_with_a_person_and_a_team(people: People) -> None:
    experiment = people.ada.call("POST", "experiments/create", {"name": "iris"})["experiment_id"]
    browser, path = people.ada.browser(), f"/share/experiment/{experiment}/"
    assert browser.post(f"{path}give/", {"holder": "cleo", "holder_kind": "user", "level": "10"}).status_code == 200
    people.cleo.call("GET", "experiments/get", {"experiment_id": experiment})
    browser.post(f"{path}revoke/", {"holder": "cleo", "holder_kind": "user"})
    people.cleo.call("GET", "experiments/get", {"experiment_id": experiment}, expect=404)
    browser.post(f"{path}give/", {"holder": "harbour", "holder_kind": "team", "level": "20"})
    people.cleo.call("POST", "runs/create", {"experiment_id": experiment})
    assert browser.post(f"{path}give/", {"holder": "no", "holder_kind": "user", "level": "10"}).status_code == 422
    assert browser.post(f"{path}give/", {"holder": "cleo", "holder_kind": "user", "level": "9"}).status_code == 422
    assert Grant.objects.count() == 1


def test_the_last_administrator_is_told(people: People) -> None:
    browser = people.root.browser()
    page = browser.post("/settings/users/root/active/", {"active": "no"}, follow=True)
    assert "last administrator" in page.content.decode()
    people.root.user.refresh_from_db()
    assert people.root.user.is_active


def test_a_new_user_can_sign_in(people: People) -> None:
    form = {"username": "eve", "password": PASSWORD, "team": people.forge.pk, "role": "viewer"}
    assert people.root.browser().post("/settings/users/new/", form).status_code == 302
    assert User.objects.get(username="eve").check_password(PASSWORD)


@pytest.mark.parametrize("path", ["/settings/", "/settings/tokens/", "/settings/teams/forge/", "/settings/users/"])
def test_statements_do_not_grow(people: People, path: str, django_assert_max_num_queries: object) -> None:
    browser = people.root.browser()
    browser.get(path)
    with django_assert_max_num_queries(16):  # type: ignore[operator]
        assert browser.get(path).status_code == 200


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) Version/17.5 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0", "Firefox on Android"),
        ("curl/8.5.0", "curl"),
        ("", "unknown"),
    ],
)  # fmt: skip
def test_browsers_are_named(said: str, shown: str) -> None:
    assert browser_named(said) == shown
