from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings

from apps.core.encryption import unseal
from apps.projects.actions import set_secret
from apps.projects.models import Secret
from tests.personas import People

VALUE = "an-open-sesame-7f3a"
LIST = "/settings/secrets/"
NEW = f"{LIST}forge/new/"
REPLACE = f"{LIST}forge/S3_KEY/replace/"
DELETE = f"{LIST}forge/S3_KEY/delete/"


def made(people: People) -> Secret:
    return set_secret(people.max.actor, team=people.forge, name="S3_KEY", value=VALUE, description="the store's")[0]


def test_a_maintainer_makes_one(people: People) -> None:
    browser = people.max.browser()
    assert b"No secrets yet" in browser.get(LIST).content
    answer = browser.post(NEW, {"name": "S3_KEY", "value": VALUE + "\r\n", "description": "x"}, follow=True)
    page = answer.content.decode()
    assert (answer.status_code, "S3_KEY" in page, VALUE in page) == (200, True, False)
    assert unseal(Secret.objects.get().sealed) == VALUE


def test_lines_come_without_what_browsers_add(people: People) -> None:
    people.max.browser().post(NEW, {"name": "PEM", "value": "a\r\nb\r\n\r\n"})
    assert unseal(Secret.objects.get().sealed) == "a\nb\n"


def test_a_maintainer_replaces_and_deletes_one(people: People) -> None:
    made(people)
    browser = people.max.browser()
    form = browser.get(REPLACE)
    assert (form.status_code, VALUE in form.content.decode(), form["Cache-Control"]) == (200, False, "no-store")
    assert browser.post(REPLACE, {"value": "other", "description": "new"}).status_code == 302
    secret = Secret.objects.get()
    assert (unseal(secret.sealed), secret.description) == ("other", "new")
    assert browser.post(DELETE).status_code == 302
    assert not Secret.objects.exists()


def test_members_see_and_change_nothing(people: People) -> None:
    made(people)
    page = people.ada.browser().get(LIST).content.decode()
    assert "S3_KEY" in page
    assert "New secret" not in page and "Replace" not in page
    assert people.ada.browser().get(REPLACE).status_code == 403
    assert people.ada.browser().post(DELETE).status_code == 403


def test_viewers_and_other_teams_see_nothing(people: People) -> None:
    made(people)
    for who in (people.vera, people.cleo):
        assert "S3_KEY" not in who.browser().get(LIST).content.decode()
    for path in (NEW, REPLACE):
        assert people.cleo.browser().get(path).status_code == 404
    assert people.cleo.browser().post(DELETE).status_code == 404


def test_wrong_verbs(people: People) -> None:
    made(people)
    browser = people.max.browser()
    assert browser.post(LIST).status_code == 405
    assert browser.get(DELETE).status_code == 405
    assert browser.put(REPLACE).status_code == 405


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": "", "value": VALUE}, "This field is required"),
        ({"name": "A", "value": ""}, "This field is required"),
        ({"name": "A", "value": "\r\n"}, "A secret has a value"),
        ({"name": "s3", "value": VALUE}, "capital letters"),
        ({"name": "LD_PRELOAD", "value": VALUE}, "set by Slipway and the system"),
        ({"name": "S3_KEY", "value": VALUE}, "has a secret S3_KEY"),
        ({"name": "A", "value": VALUE * 4000}, "at most 64 KB"),
    ],
)
def test_a_refused_form_says_why_and_brings_no_value_back(people: People, given: dict[str, str], said: str) -> None:
    made(people)
    answer = people.max.browser().post(NEW, given)
    page = answer.content.decode()
    assert (answer.status_code, said in page, VALUE in page) == (422, True, False)
    assert Secret.objects.count() == 1


def test_the_list_takes_the_same_statements_for_many(people: People, django_assert_max_num_queries: Any) -> None:
    browser = people.max.browser()
    made(people)
    browser.get(LIST)
    for number in range(20):
        set_secret(people.max.actor, team=people.forge, name=f"KEY_{number}", value="x")
    with django_assert_max_num_queries(12):
        assert browser.get(LIST).content.count(b"KEY_1") > 1


@override_settings(DEBUG=False)
def test_an_address_that_no_secret_has(people: People) -> None:
    for path in (f"{LIST}forge/NONE/replace/", f"{LIST}nowhere/S3_KEY/replace/"):
        assert people.max.browser().get(path).status_code == 404
