"""The way to the provider and back: who comes in, as whom, and what stops them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.test import Client

from apps.accounts import actions
from apps.accounts.models import User
from apps.audit.models import Event
from apps.core.actor import system_actor
from tests.accounts.oidc.fake import Fake, signing_in_with
from tests.personas import People

EVE: dict[str, Any] = {
    "sub": "e-1",
    "preferred_username": "Eve",
    "given_name": "Eve",
    "family_name": "Adams",
    "email": "eve@example.org",
}
ADA = {"sub": "a-1", "preferred_username": "ada", "email": "ada@example.org"}


def codes(**of: Any) -> list[str]:
    return list(Event.objects.filter(**of).order_by("pk").values_list("code", flat=True))


def test_who_comes_for_the_first_time_gets_an_account(people: People, fake: Fake) -> None:
    with signing_in_with(fake):
        browser, answer = fake.sign_in(EVE, next_url="/settings/?a=b")
        assert (answer.status_code, answer["Location"]) == (302, "/settings/?a=b")
        assert browser.get("/settings/").context["actor"].username == "eve"
        again, _ = fake.sign_in(EVE | {"preferred_username": "other", "email": "new@example.org"})
        assert again.get("/settings/").context["actor"].username == "eve"
    eve = User.objects.get(username="eve")
    assert (eve.first_name, eve.last_name, eve.email) == ("Eve", "Adams", "eve@example.org")
    assert not eve.has_usable_password()
    assert UserSession.objects.filter(user=eve).count() == 2
    assert codes(object_id=str(eve.pk)) == ["user.created", "user.identity_linked", "user.signed_in", "user.signed_in"]
    made, _, signed_in, _ = Event.objects.filter(object_id=str(eve.pk)).order_by("pk")
    assert (made.actor_name, made.via) == ("openid-connect", "system")
    assert (signed_in.actor_name, signed_in.after) == ("eve", {"by": fake.issuer})


def test_the_session_is_short_on_the_way_and_of_the_usual_length_after(people: People, fake: Fake) -> None:
    fake.person = EVE | {"email_verified": True}
    with signing_in_with(fake):
        browser = Client()
        start = browser.get("/login/oidc/")
        assert browser.session.get_expiry_age() <= 600
        on_the_way = browser.session.session_key
        browser.get(fake.agree(start["Location"]))
    assert browser.session.get_expiry_age() == settings.SESSION_COOKIE_AGE
    assert browser.session.session_key != on_the_way


def test_another_takes_the_name_at_the_same_time(people: People, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    names = iter(["ada", "ada-2"])
    monkeypatch.setattr("apps.accounts.actions.identities._free_name", lambda wanted: next(names))
    with signing_in_with(fake):
        browser, _ = fake.sign_in(EVE)
        assert browser.get("/settings/").context["actor"].username == "ada-2"


def test_what_is_asked_of_the_provider(people: People, fake: Fake) -> None:
    with signing_in_with(fake, scopes=("openid", "groups")):
        # Nothing of it comes from the link.
        asked = Client().get("/login/oidc/?scope=admin&auth_params=prompt%3Dnone&process=connect")["Location"]
    query = {name: values[0] for name, values in parse_qs(urlsplit(asked).query).items()}
    assert set(query.pop("scope").split()) == {"openid", "groups"}
    assert query.pop("redirect_uri") == "http://testserver/login/oidc/callback/"
    assert (query["code_challenge_method"], query["response_type"]) == ("S256", "code")
    assert len(query["nonce"]) >= 32
    assert "prompt" not in query


def test_where_to_go_next_stays_here(people: People, fake: Fake) -> None:
    with signing_in_with(fake):
        assert fake.sign_in(EVE, next_url="https://evil.example/")[1]["Location"] == "/"


def test_a_name_that_is_taken_gets_a_number(people: People, fake: Fake) -> None:
    with signing_in_with(fake):
        for subject, name in (("1", "Ada"), ("2", "ada@corp"), ("3", "A d/a"), ("4", "console"), ("5", "张伟")):
            fake.sign_in({"sub": subject, "preferred_username": name})
        fake.sign_in({"sub": "6"})
    names = SocialAccount.objects.order_by("uid").values_list("user__username", flat=True)
    assert list(names) == ["ada-2", "ada-3", "a-d-a", "console-2", "张伟", "user"]


def test_nobody_comes_in_who_is_not_known_where_accounts_are_made_by_hand(people: People, fake: Fake) -> None:
    with signing_in_with(fake, creates_users=False):
        browser, answer = fake.sign_in(EVE)
        assert answer.status_code == 403
        assert "slipway user link NAME e-1" in answer.content.decode()
        assert browser.get("/settings/").status_code == 302
        actions.link_identity(system_actor(), user=people.ada.user, issuer=fake.issuer, subject="e-1")
        browser, _ = fake.sign_in(EVE)
        assert browser.get("/settings/").context["actor"].username == "ada"
    assert not User.objects.filter(username="eve").exists()
    refused = Event.objects.get(code="user.sign_in_refused")
    assert (refused.object_name, refused.note, refused.actor_name) == ("Eve", "no account", "openid-connect")


def test_a_disabled_account_stays_out(people: People, fake: Fake) -> None:
    with signing_in_with(fake, "ops=admin"):
        fake.sign_in(EVE)
        eve = User.objects.get(username="eve")
        actions.set_active(system_actor(), user=eve, is_active=False)
        browser, answer = fake.sign_in(EVE | {"groups": ["ops"]})
        assert answer.status_code == 403
        assert "disabled" in answer.content.decode()
        assert "slipway user link" not in answer.content.decode()
        assert browser.get("/settings/").status_code == 302
    eve.refresh_from_db()
    assert not eve.is_superuser
    assert codes(object_id=str(eve.pk))[-2:] == ["user.disabled", "user.sign_in_refused"]


class TestTheSameMailAddress:
    """Whether an account that is there is taken for the person's."""

    @pytest.fixture(autouse=True)
    def _adas_address(self, people: People) -> None:
        User.objects.filter(pk=people.ada.user.pk).update(email="Ada@Example.org")

    def refused(self, fake: Fake, **config: Any) -> str:
        with signing_in_with(fake, **config):
            browser, answer = fake.sign_in(fake.person or ADA)
            assert answer.status_code == 403
            assert browser.get("/settings/").status_code == 302
        assert SocialAccount.objects.filter(uid="a-1").count() == 0
        assert not User.objects.filter(username="ada-2").exists()
        text: str = answer.content.decode()
        return text

    def test_the_operator_says_so(self, people: People, fake: Fake) -> None:
        with signing_in_with(fake, links_by_email=True):
            browser, _ = fake.sign_in(ADA)
            assert browser.get("/settings/").context["actor"].user_id == people.ada.user.pk
        assert codes(object_id=str(people.ada.user.pk))[-2:] == ["user.identity_linked", "user.signed_in"]

    def test_the_operator_does_not(self, people: People, fake: Fake) -> None:
        assert "has your mail address already" in self.refused(fake)

    def test_the_provider_does_not_vouch_for_it(self, people: People, fake: Fake) -> None:
        fake.person = ADA | {"email_verified": False}
        self.refused(fake, links_by_email=True)

    def test_two_have_it(self, people: People, fake: Fake) -> None:
        User.objects.filter(pk=people.ben.user.pk).update(email="ada@example.org")
        self.refused(fake, links_by_email=True)

    def test_the_account_is_somebody_elses_there(self, people: People, fake: Fake) -> None:
        actions.link_identity(system_actor(), user=people.ada.user, issuer=fake.issuer, subject="a-0")
        self.refused(fake, links_by_email=True)

    def test_nobody_takes_anothers_address(self, people: People, fake: Fake) -> None:
        form = {"first_name": "", "last_name": "", "email": "ada@example.org"}
        with signing_in_with(fake, links_by_email=True):
            people.ben.browser().post("/settings/", form)
            people.ben.user.refresh_from_db()
            assert people.ben.user.email == ""
            people.root.browser().post("/settings/", form)
            people.root.user.refresh_from_db()
            assert people.root.user.email == "ada@example.org"


def test_an_address_that_is_not_vouched_for_is_not_kept(people: People, fake: Fake) -> None:
    with signing_in_with(fake):
        fake.sign_in(EVE | {"email_verified": False})
    assert User.objects.get(username="eve").email == ""


def test_another_issuer_knows_other_people(people: People, fake: Fake) -> None:
    actions.link_identity(system_actor(), user=people.ada.user, issuer="https://other.example.org", subject="e-1")
    with signing_in_with(fake):
        browser, _ = fake.sign_in(EVE)
        assert browser.get("/settings/").context["actor"].username == "eve"


def test_without_a_provider_there_is_no_such_way(people: People) -> None:
    for path in ("/login/oidc/", "/login/oidc/callback/"):
        assert Client().get(path).status_code == 404
    assert "oidc" not in Client().get("/login/").content.decode()


def test_other_verbs_are_not_taken(people: People, fake: Fake) -> None:
    with signing_in_with(fake):
        for path in ("/login/oidc/", "/login/oidc/callback/"):
            assert Client().post(path).status_code == 405


def test_nothing_else_of_allauth_is_served(people: People, fake: Fake) -> None:
    with signing_in_with(fake):
        for path in ("/oidc/x/login/", "/accounts/social/connections/", "/social/signup/", "/login/oidc/signup/"):
            assert Client().get(path).status_code == 404
