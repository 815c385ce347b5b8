from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import override_settings
from pytest_django import DjangoAssertNumQueries

from apps.accounts import actions as accounts
from apps.core.actor import Role, system_actor
from apps.core.addresses import Allowed
from apps.core.encryption import unseal
from apps.notifications.models import Delivery, Webhook, WebhookStatus
from tests.notifications.hooks import make_hook
from tests.personas import People
from tests.receiver import receiver
from tests.registry.models import make_model

LIST, NEW = "/settings/webhooks/", "/settings/webhooks/new/"
URL = "https://hooks.invalid/services/T0/secret-path"


def form(**more: Any) -> dict[str, Any]:
    """What somebody types for a webhook of one model."""
    given = {
        "name": "ci-deploy",
        "dialect": "generic",
        "scope": "model",
        "model": "iris",
        "url": URL,
        "events": ["model_version.created"],
        "status": "ACTIVE",
        "verify_tls": "on",
    }
    return {**given, **more}


def of_team(people: People, **more: Any) -> Webhook:
    return make_hook(people, URL, **more)


def test_who_manages_a_model_makes_one_of_it(people: People) -> None:
    model, browser = make_model(people.ada), people.ada.browser()
    answer = browser.post(NEW, form(secret="s3cret", authorization="Bearer x", description="says it"))
    hook = Webhook.objects.get()
    assert answer["Location"] == f"{LIST}{hook.uid}/"
    assert (hook.object_id, hook.team_id, hook.owner, hook.events) == (
        model.pk, people.forge.pk, people.ada.user, ["model_version.created"],
    )  # fmt: skip
    assert (unseal(hook.sealed_secret), unseal(hook.sealed_authorization)) == ("s3cret", "Bearer x")
    html = browser.get(answer["Location"]).content.decode()
    assert "s3cret" not in html
    assert "secret-path" not in html
    assert "https://hooks.invalid/…" in html


def test_the_form_is_opened_for_a_model(people: People) -> None:
    model = make_model(people.ada)
    asked = f"{NEW}?model=id:{model.pk}"
    assert 'name="model" value="iris"' in people.ada.browser().get(asked).content.decode()
    # Root speaks for another team, in which the name says nothing.
    assert f'name="model" value="id:{model.pk}"' in people.root.browser().get(asked).content.decode()
    for who in (people.ben, people.cleo):
        assert "iris" not in who.browser().get(asked).content.decode()
    assert people.ada.browser().get(f"{NEW}?model=%00").status_code == 200


def test_scopes_are_those_that_one_may(people: People) -> None:
    accounts.set_role(system_actor(), team=people.forge, user=people.max.user, role=Role.ADMIN)
    offered = {
        who.name: re.findall(r'<option value="((?:team:\w+|model|site))"', who.browser().get(NEW).content.decode())
        for who in (people.ben, people.max, people.root)
    }
    assert offered == {
        "ben": ["model"],
        "max": ["team:forge", "model"],
        "root": ["team:forge", "team:harbour", "model", "site"],
    }
    assert people.max.browser().post(NEW, form(scope="team:forge")).status_code == 302
    assert people.root.browser().post(NEW, form(scope="site")).status_code == 302
    assert sorted(Webhook.objects.values_list("team__name", "object_id"), key=str) == [("forge", None), (None, None)]


@pytest.mark.parametrize(("who", "scope"), [("ben", "team:forge"), ("ben", "site"), ("max", "team:harbour")])
def test_other_scopes_are_refused(people: People, who: str, scope: str) -> None:
    answer = getattr(people, who).browser().post(NEW, form(scope=scope))
    assert answer.status_code == 422
    assert "scope" in answer.context["form"].errors
    assert not Webhook.objects.exists()


@pytest.mark.parametrize("who", ["vera", "ben", "cleo"])
def test_the_model_of_others_is_refused_beside_its_field(people: People, who: str) -> None:
    make_model(people.ada)
    answer = getattr(people, who).browser().post(NEW, form())
    assert answer.status_code == 422
    assert "model" in answer.context["form"].errors
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "no blanks"}, "__all__"),
        ({"dialect": "morse"}, "dialect"),
        ({"events": []}, "events"),
        ({"events": ["COMMENT_CREATED"]}, "events"),
        ({"events": ["nothing.such"]}, "events"),
        ({"url": ""}, "url"),
        ({"url": "https://127.0.0.1/x"}, "url"),
        ({"url": "http://169.254.169.254/latest"}, "url"),
        ({"url": "ftp://hooks.invalid/x"}, "url"),
        ({"url": "https://user:pass@hooks.invalid/x"}, "url"),
        ({"url": "https://hooks.invalid/\x00"}, "url"),
        ({"model": ""}, "model"),
        ({"model": "nothing-here"}, "model"),
        ({"model": "x\x00"}, "model"),
        ({"status": "SLEEPING"}, "status"),
        ({"secret": "ü"}, "__all__"),
    ],
)
def test_wrong_values_are_told_and_what_was_typed_stays(people: People, change: dict[str, Any], field: str) -> None:
    make_model(people.ada)
    answer = people.ada.browser().post(NEW, form(description="typed before") | change)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert "typed before" in answer.content.decode()
    assert not Webhook.objects.exists()


def test_a_refused_form_does_not_send_the_secret_back(people: People) -> None:
    html = people.ada.browser().post(NEW, form(name="", secret="s3cret")).content.decode()
    assert "s3cret" not in html
    assert "type it again" in html


def test_a_kind_takes_what_it_has(people: People) -> None:
    make_model(people.ada)
    sent = form(dialect="slack", secret="kept by mistake", events=["comment.created", "COMMENT_CREATED"])
    people.ada.browser().post(NEW, sent)
    hook = Webhook.objects.get()
    assert (hook.sealed_secret, hook.events) == ("", ["comment.created"])


def test_each_box_names_the_kinds_that_have_it(people: People) -> None:
    html = people.ada.browser().get(NEW).content.decode()
    dialects = dict(re.findall(r'data-dialects="([^"]+)"><input type="checkbox" name="events" value="([^"]+)"', html))
    by_word = {word: kinds.split() for kinds, word in dialects.items()}
    assert by_word["COMMENT_CREATED"] == ["databricks"]
    assert by_word["budget_policy.exceeded"] == ["mlflow"]


def test_a_change_keeps_secrets_that_are_not_typed(people: People) -> None:
    hook = of_team(people, secret="s3cret", authorization="Bearer x")
    path, browser = f"{LIST}{hook.uid}/edit/", people.root.browser()
    page = browser.get(path).content.decode()
    assert "s3cret" not in page
    assert ">set<" in page
    sent = form(name="renamed", events=["comment.created"])
    assert browser.post(path, sent)["Location"] == f"{LIST}{hook.uid}/"
    hook.refresh_from_db()
    assert (hook.name, hook.events, unseal(hook.sealed_secret)) == ("renamed", ["comment.created"], "s3cret")
    browser.post(path, sent | {"secret": "other"})
    hook.refresh_from_db()
    assert unseal(hook.sealed_secret) == "other"
    browser.post(path, sent | {"drop_secret": "on", "status": "DISABLED"})
    hook.refresh_from_db()
    assert (unseal(hook.sealed_secret), hook.status) == ("", WebhookStatus.DISABLED)
    assert unseal(hook.sealed_authorization) == "Bearer x"
    assert hook.verify_tls
    assert "not set: calls are not signed" in browser.get(f"{LIST}{hook.uid}/").content.decode()


def test_a_wrong_change_changes_nothing(people: People) -> None:
    hook = of_team(people)
    answer = people.root.browser().post(f"{LIST}{hook.uid}/edit/", form(url="https://10.0.0.1/"))
    assert answer.status_code == 422
    hook.refresh_from_db()
    assert hook.url == URL


@pytest.mark.parametrize("what", ["", "edit/", "test/", "delete/"])
def test_pages_of_a_webhook_are_for_those_who_manage_it(people: People, what: str) -> None:
    path = f"{LIST}{of_team(people).uid}/{what}"
    for who, status in ((people.cleo, 404), (people.vera, 403), (people.ben, 403), (people.max, 403)):
        browser = who.browser()
        call = browser.post if what in {"test/", "delete/"} else browser.get
        assert call(path).status_code == status
    assert Webhook.objects.exists()


def test_the_list_shows_ones_own(people: People) -> None:
    of_team(people)
    assert "No webhooks yet" in people.max.browser().get(LIST).content.decode()
    assert ">hook</a>" in people.root.browser().get(LIST).content.decode()


def test_deleting_takes_the_log_along(people: People) -> None:
    hook = of_team(people)
    Delivery.objects.create(webhook=hook, event="comment.created", payload="{}")
    assert people.root.browser().post(f"{LIST}{hook.uid}/delete/")["Location"] == LIST
    assert not Delivery.objects.exists()
    assert people.root.browser().get(f"{LIST}{hook.uid}/").status_code == 404


def test_a_test_says_what_was_answered(people: People) -> None:
    with receiver() as there:
        hook = make_hook(people, f"{there.url}/x")
        browser = people.root.browser()
        said = browser.post(f"{LIST}{hook.uid}/test/", {"event": "comment.created"}, follow=True).content.decode()
        assert "answered 200" in said
        assert there.got[0].path == "/x"
        Webhook.objects.update(url=f"{there.url}/status/500")
        assert "The test failed: answered 500." in browser.post(f"{LIST}{hook.uid}/test/", follow=True).content.decode()
    assert browser.post(f"{LIST}{hook.uid}/test/", {"event": "nothing.such"}).status_code == 400


def test_the_operators_list_is_shown_to_administrators(people: People) -> None:
    with override_settings(OUTGOING_ALLOW=Allowed.of(["ci.internal", "10.1.0.0/16"])):
        assert "<code>ci.internal</code>, <code>10.1.0.0/16</code>" in people.root.browser().get(NEW).content.decode()
        assert "ci.internal" not in people.ada.browser().get(NEW).content.decode()


def test_a_webhook_whose_maker_may_no_longer_is_silenced(people: People) -> None:
    accounts.set_role(system_actor(), team=people.forge, user=people.max.user, role=Role.ADMIN)
    hook = of_team(people, by=people.max)
    accounts.set_role(system_actor(), team=people.forge, user=people.max.user, role=Role.MEMBER)
    browser = people.root.browser()
    assert "silenced" in browser.get(LIST).content.decode()
    assert "It is silenced" in browser.get(f"{LIST}{hook.uid}/").content.decode()


@pytest.mark.parametrize("count", [2, 20])
def test_statements_do_not_grow(people: People, django_assert_num_queries: DjangoAssertNumQueries, count: int) -> None:
    for number in range(count):
        hook = of_team(people, name=f"h{number}")
        Delivery.objects.create(webhook=hook, event="comment.created", payload="{}")
    browser = people.root.browser()
    browser.get(LIST)
    with django_assert_num_queries(7):
        assert ">h1</a>" in browser.get(LIST).content.decode()
