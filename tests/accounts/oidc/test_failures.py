"""What goes wrong on the way is one page with a way back, whatever it is: no trace, nobody signed in, nothing made."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from tests.accounts.oidc.fake import CLIENT_ID, Fake, signing_in_with
from tests.personas import People

EVE = {"sub": "e-1", "preferred_username": "eve"}
NOW = int(time.time())

# What the provider says wrongly, the status of our page, and some of its words.
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "another issuer": ({"token": {"iss": "https://evil.example"}}, "another issuer"),
    "another application": ({"token": {"aud": "other"}}, "another application"),
    "several applications": ({"token": {"aud": [CLIENT_ID, "other"], "azp": "other"}}, "another application"),
    "its clock is behind": ({"token": {"exp": NOW - 3600, "iat": NOW - 7200}}, "clock"),
    "its clock is ahead": ({"token": {"iat": NOW + 3600, "exp": NOW + 7200}}, "clock"),
    "another nonce": ({"token": {"nonce": "of an old sign-in"}}, "another sign-in"),
    "no nonce": ({"token": {"nonce": None}}, "another sign-in"),
    "a signature by the shared secret": ({"algorithm": "HS256"}, "signature"),
    "no signature": ({"algorithm": "none"}, "signature"),
    "another's signature": ({"signed_with": "theirs"}, "signature"),
    "nobody": ({"token": {"sub": ""}, "userinfo": {"sub": ""}}, "who it is about"),
    "two people": ({"userinfo": {"sub": "a-1"}}, "two people"),
    "no tokens": ({"broken": {"/token"}}, "does not answer as it should"),
    "no keys": ({"broken": {"/jwks"}}, "does not answer as it should"),
    "no userinfo": ({"broken": {"/userinfo"}}, "does not answer as it should"),
}


def assert_told(answer: Any, status: int, words: str) -> None:
    text = answer.content.decode()
    assert answer.status_code == status
    assert words in text
    assert 'href="/login/"' in text
    assert "Traceback" not in text
    assert not User.objects.filter(username="eve").exists()


@pytest.mark.parametrize("what", sorted(WRONG))
def test_an_answer_that_proves_nothing(people: People, fake: Fake, what: str) -> None:
    spoilt, words = WRONG[what]
    for name, value in spoilt.items():
        setattr(fake, name, value)
    with signing_in_with(fake):
        browser, answer = fake.sign_in(EVE)
        assert_told(answer, 502, words)
        assert browser.get("/settings/").status_code == 302


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"issuer": "https://evil.example"}, "another issuer"),
        ({"token_endpoint": None}, "does not answer as it should"),
        ({"jwks_uri": "ftp://127.0.0.1/keys"}, "does not answer as it should"),
    ],
)
def test_a_provider_that_says_odd_things_of_itself(
    people: People, fake: Fake, document: dict[str, Any], words: str
) -> None:
    fake.document = document
    with signing_in_with(fake):
        assert_told(Client().get("/login/oidc/"), 502, words)


def test_a_provider_that_is_away(people: People, fake: Fake) -> None:
    with signing_in_with(fake, issuer="http://127.0.0.1:1"):
        assert_told(Client().get("/login/oidc/"), 502, "does not answer as it should")
    fake.broken = {"/.well-known/openid-configuration"}
    with signing_in_with(fake):
        assert_told(Client().get("/login/oidc/"), 502, "does not answer as it should")


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("error=access_denied", 400, "did not let you in"),
        ("error=server_error&error_description=%3Cscript%3E", 502, "does not answer as it should"),
        ("", 502, "does not answer as it should"),
        ("code=none", 502, "does not answer as it should"),
        ("code=none&iss=https://evil.example", 502, "another issuer"),
    ],
)
def test_the_provider_sends_back_without_a_proof(
    people: People, fake: Fake, query: str, status: int, words: str
) -> None:
    with signing_in_with(fake):
        browser = Client()
        state = browser.get("/login/oidc/")["Location"].partition("state=")[2].partition("&")[0]
        answer = browser.get(f"/login/oidc/callback/?{query}&state={state}")
    assert_told(answer, status, words)
    assert "script" not in answer.content.decode().partition("</head>")[2].partition("<h1>")[2].partition("</main>")[0]


def test_an_answer_is_good_once_and_for_who_asked(people: People, fake: Fake) -> None:
    fake.person = EVE
    with signing_in_with(fake):
        browser, others = Client(), Client()
        back = fake.agree(browser.get("/login/oidc/")["Location"])
        assert_told(others.get(back), 400, "This sign-in is over")
        assert_told(others.get("/login/oidc/callback/"), 400, "This sign-in is over")
        assert browser.get(back).status_code == 302
        assert browser.get(back).status_code == 400


def test_another_proof_than_that_of_the_browser(people: People, fake: Fake) -> None:
    """PKCE: a code that was caught is worth nothing in another session."""
    fake.person = EVE
    with signing_in_with(fake):
        victim, thief = Client(), Client()
        caught = fake.agree(victim.get("/login/oidc/")["Location"])
        state = thief.get("/login/oidc/")["Location"].partition("state=")[2].partition("&")[0]
        assert_told(thief.get(f"{caught.partition('&state=')[0]}&state={state}"), 502, "does not answer as it should")
