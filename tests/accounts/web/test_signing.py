from __future__ import annotations

import time

from allauth.usersessions.models import UserSession
from django.test import Client

from apps.accounts import sessions
from apps.audit.models import Event
from tests.personas import PASSWORD, People

LOGIN = "/login/"


def signed_in(username: str = "ada", password: str = PASSWORD) -> Client:
    browser = Client()
    browser.post(LOGIN, {"login": username, "password": password})
    return browser


def test_signing_in_and_out_is_recorded(people: People) -> None:
    browser = Client()
    browser.get(LOGIN)
    answer = browser.post(f"{LOGIN}?next=/settings/", {"login": "ada", "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/settings/")
    assert browser.get("/settings/").status_code == 200
    assert browser.post("/logout/").status_code == 302
    assert browser.get("/settings/").status_code == 302
    codes = Event.objects.filter(actor_id=people.ada.user.pk).values_list("code", flat=True)
    assert {"user.signed_in", "user.signed_out"} <= set(codes)


def test_unknown_and_wrong_look_the_same(people: People) -> None:
    pages = [Client().post(LOGIN, {"login": name, "password": "wrong"}) for name in ("ada", "nobody")]
    assert {page.status_code for page in pages} == {200}
    assert "not correct" in pages[0].content.decode()
    assert pages[0].context["form"].errors == pages[1].context["form"].errors


def test_too_many_failures(people: People) -> None:
    for _ in range(10):
        Client().post(LOGIN, {"login": "ada", "password": "wrong"})
    answer = Client().post(LOGIN, {"login": "ada", "password": PASSWORD})
    assert answer.status_code == 429
    assert answer["Retry-After"]
    assert "Too many failed sign-ins" in answer.content.decode()


def test_disabled_and_service_accounts_cannot_sign_in(people: People) -> None:
    people.ada.user.is_active = False
    people.ada.user.save()
    assert signed_in().get("/settings/").status_code == 302


def test_no_foreign_page_signs_in_or_out(people: People) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(LOGIN, {"login": "ada", "password": PASSWORD}).status_code == 403
    assert strict.post("/logout/").status_code == 403


def test_where_to_go_next_stays_here(people: People) -> None:
    answer = Client().post(f"{LOGIN}?next=https://evil.example/", {"login": "ada", "password": PASSWORD})
    assert answer["Location"] == "/"


def test_a_new_session_at_sign_in(people: People) -> None:
    browser = Client()
    browser.get(LOGIN)
    before = browser.session.session_key
    browser.post(LOGIN, {"login": "ada", "password": PASSWORD})
    assert browser.session.session_key not in (None, before)


def test_changing_the_password_ends_all_other_sessions(people: People) -> None:
    here, there = signed_in(), signed_in()
    new = {"current": PASSWORD, "password": "another fine phrase"}
    assert here.post("/settings/password/", new).status_code == 302
    assert here.get("/settings/").status_code == 200
    assert there.get("/settings/").status_code == 302
    assert UserSession.objects.filter(user=people.ada.user).count() == 1


def test_a_wrong_current_password_changes_nothing(people: People) -> None:
    new = {"current": "wrong", "password": "another fine phrase"}
    assert signed_in().post("/settings/password/", new).status_code == 422
    people.ada.user.refresh_from_db()
    assert people.ada.user.check_password(PASSWORD)


def test_one_ends_the_own_sessions_and_no_others(people: People) -> None:
    here, there, bens = signed_in(), signed_in(), signed_in("ben")
    theirs = UserSession.objects.get(session_key=bens.session.session_key)
    assert here.post(f"/settings/sessions/{theirs.pk}/end/").status_code == 404
    mine = UserSession.objects.get(session_key=there.session.session_key)
    assert here.post(f"/settings/sessions/{mine.pk}/end/").status_code == 302
    assert there.get("/settings/").status_code == 302
    assert bens.get("/settings/").status_code == 200


def test_a_rested_and_an_old_session_are_over(people: People) -> None:
    for key, seconds in (("seen_at", sessions.IDLE_SECONDS), ("signed_in_at", sessions.ABSOLUTE_SECONDS)):
        browser = signed_in()
        store = browser.session
        store[key] = int(time.time()) - seconds - 10
        store.save()
        assert browser.get("/settings/").status_code == 302


def test_api_calls_of_our_pages_are_checked_for_forgery(people: People) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(people.ada.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    for path in ("/api/v1/experiments/", "/api/2.0/mlflow/experiments/create"):
        assert strict.post(path, {"name": "x"}, content_type="application/json").status_code == 403


def test_a_part_of_a_page_leads_the_whole_page_to_sign_in(people: People) -> None:
    here = "http://testserver/experiments/?q=a"
    answer = Client().get("/experiments/new/", HTTP_HX_REQUEST="true", HTTP_HX_CURRENT_URL=here)
    assert (answer.status_code, answer["HX-Redirect"]) == (401, "/login/?next=/experiments/%3Fq%3Da")
    odd = Client().get("/experiments/new/", HTTP_HX_REQUEST="true", HTTP_HX_CURRENT_URL="http://[//evil.example/")
    assert (odd.status_code, odd["HX-Redirect"]) == (401, "/login/?next=/")
