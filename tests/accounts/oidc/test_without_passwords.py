"""A site that takes no passwords: what is left of them, and the way in for who is locked out."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from apps.accounts import sign_in_links
from apps.accounts.models import User
from apps.audit.models import Event
from tests.accounts.oidc.fake import Fake, signing_in_with
from tests.personas import PASSWORD, People


@pytest.fixture
def none(people: People, fake: Fake) -> Iterator[None]:
    with signing_in_with(fake, passwords=False):
        yield


def basic(name: str, password: str) -> dict[str, Any]:
    return {"HTTP_AUTHORIZATION": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def link_for(name: str) -> str:
    out = io.StringIO()
    call_command("user", "sign-in-link", name, stdout=out, stderr=io.StringIO())
    return urlsplit(out.getvalue().strip()).path


def test_the_page_shows_the_button_alone(people: People, fake: Fake) -> None:
    with signing_in_with(fake):
        both = Client().get("/login/?next=/runs/%3Fa%3Db%26c").content.decode()
    assert "Sign in with Harbour ID" in both
    assert 'href="/login/oidc/?next=%2Fruns%2F%3Fa%3Db%26c"' in both
    assert 'name="password"' in both
    with signing_in_with(fake, passwords=False):
        alone = Client().get("/login/").content.decode()
    assert "Sign in with Harbour ID" in alone
    assert 'name="password"' not in alone


def test_no_password_is_taken(none: None, people: People) -> None:
    browser = Client()
    answer = browser.post("/login/", {"login": "ada", "password": PASSWORD})
    assert answer.status_code == 403
    assert "takes no passwords" in answer.content.decode()
    assert browser.get("/settings/").status_code == 302
    assert Client().get("/api/v1/me/", **basic("ada", PASSWORD)).status_code == 401
    # Tokens go on, in both ways.
    assert Client().get("/api/v1/me/", **basic("ada", people.ada.token)).status_code == 200
    assert people.ada.request("GET", "/api/v1/me/").status_code == 200


def test_pages_about_passwords_are_gone(none: None, people: People) -> None:
    ada, root = people.ada.browser(), people.root.browser()
    for browser, page, link in (
        (ada, "/settings/", "/settings/password/"),
        (root, "/settings/users/", "/settings/users/ada/password/"),
    ):
        assert link not in browser.get(page).content.decode()
        for answer in (browser.get(link), browser.post(link, {"current": PASSWORD, "password": "another phrase"})):
            assert answer.status_code == 404
    assert "sign-in-link" in Client().get("/login/forgotten/").content.decode()


def test_people_are_made_without_one(none: None, people: People) -> None:
    form = {"username": "eve", "team": people.forge.pk, "role": "viewer"}
    assert people.root.browser().post("/settings/users/new/", form).status_code == 302
    assert people.root.request("POST", "/api/v1/users/", {"username": "fay"}).status_code == 201
    call_command("user", "create", "gil", "--team", "forge", stdout=io.StringIO())
    made = User.objects.filter(username__in=["eve", "fay", "gil"])
    assert [user.has_usable_password() for user in made] == [False] * 3


def test_a_link_signs_in_once(none: None, people: People) -> None:
    link = link_for("root")
    browser = Client()
    assert "Sign in as root" in browser.get(link).content.decode()
    assert browser.get("/settings/").status_code == 302
    assert (browser.post(link).status_code, browser.get("/settings/users/").status_code) == (302, 200)
    for answer in (Client().get(link), Client().post(link)):
        assert answer.status_code == 404
        assert "This link is over" in answer.content.decode()
    made, used = Event.objects.filter(object_name="root").order_by("-pk")[:2][::-1]
    assert (made.code, made.actor_name, made.via) == ("user.sign_in_link_made", "console", "system")
    assert (used.code, used.actor_name, used.after) == ("user.signed_in", "root", {"by": "link"})


def test_a_link_ends(none: None, people: People, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    first, second = link_for("root"), link_for("root")
    assert Client().post(second).status_code == 302
    # Any sign-in ends all links that were made before.
    assert Client().post(first).status_code == 404
    late, disabled = link_for("root"), link_for("ada")
    User.objects.filter(username="ada").update(is_active=False)
    assert Client().post(disabled).status_code == 404
    now = sign_in_links._keyed._now()
    monkeypatch.setattr(sign_in_links._keyed, "_now", lambda: now + timedelta(seconds=901))
    assert Client().post(late).status_code == 404


@pytest.mark.parametrize("text", ["1.abc-def", "x", "1", ".", "1." + "a" * 500, "99999999999999999999.a-b", "٣.a-b"])
def test_a_link_that_is_none(none: None, text: str) -> None:
    assert Client().get(f"/login/link/{text}/").status_code == 404
    assert Client().post(f"/login/link/{text}/").status_code == 404


def test_whom_no_link_is_made_for(none: None, people: People) -> None:
    User.objects.filter(username="ada").update(is_active=False)
    User.objects.create(username="ci", is_service=True)
    for name, words in (("ada", "disabled"), ("ci", "token alone"), ("nobody", "not found")):
        with pytest.raises(CommandError, match=words):
            link_for(name)


def test_commands_link_people_to_the_provider(none: None, people: People, fake: Fake) -> None:
    out = io.StringIO()
    call_command("user", "link", "ada", "a-1", stdout=out)
    assert out.getvalue() == "Who comes from Harbour ID as a-1 is ada here.\n"
    browser, _ = fake.sign_in({"sub": "a-1"})
    assert browser.get("/settings/").context["actor"].username == "ada"
    call_command("user", "link", "ben", "a-1", stdout=out)
    browser, _ = fake.sign_in({"sub": "a-1"})
    assert browser.get("/settings/").context["actor"].username == "ben"
    event = Event.objects.filter(code="user.identity_linked").latest("pk")
    assert (event.actor_name, event.before, event.object_name) == ("console", {"user": "ada", "subject": None}, "ben")


@pytest.mark.parametrize("command", [("password", "ada", "--password-stdin"), ("sign-in-link", "ada")])
def test_who_guessed_too_often_is_let_try_again(
    people: People,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
    command: tuple[str, ...],
) -> None:
    def status(password: str) -> int:
        return Client().post("/login/", {"login": "ada", "password": password}).status_code

    for _ in range(10):
        status("wrong")
    assert status(PASSWORD) == 429
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    with django_capture_on_commit_callbacks(execute=True):
        call_command("user", *command, stdout=io.StringIO(), stderr=io.StringIO())
    assert status(PASSWORD) == 302
