from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import Grant, ObjectKind, User
from apps.core.actor import Level
from apps.notifications.models import Choice, MailPreference, MailTiming, Subscription, TopicPreference
from apps.registry.models import RegisteredModel
from tests.notifications.happenings import topic
from tests.personas import People
from tests.registry.models import make_model

PAGE = "/settings/notifications/"


def follow(people: People, model: RegisteredModel, user: User, choice: Choice = Choice.ALL) -> Subscription:
    return Subscription.objects.create(user=user, kind=ObjectKind.REGISTERED_MODEL, object_id=model.pk, choice=choice)


def path_of(model: RegisteredModel) -> str:
    return f"/subscriptions/registered_model/id:{model.pk}/"


def test_mail_and_topics_are_chosen(people: People) -> None:
    asked = topic()
    browser = people.ben.browser()
    form = {"mail": "daily", f"topic-{asked}": "none"}
    assert browser.post(PAGE, form)["Location"] == PAGE
    assert MailPreference.objects.get().timing == MailTiming.DAILY
    assert TopicPreference.objects.get().choice == Choice.NONE
    html = browser.get(PAGE).content.decode()
    assert '<option value="none" selected>' in html
    browser.post(PAGE, {"mail": "none"})
    assert not TopicPreference.objects.exists()


def test_what_a_topic_says_of_itself_is_no_choice(people: People) -> None:
    quiet = topic("test.quiet", default=False)
    html = people.ben.browser().get(PAGE).content.decode()
    assert "only of what you follow" in html
    people.ben.browser().post(PAGE, {"mail": "at_once", f"topic-{quiet}": "default"})
    assert TopicPreference.objects.get().choice == Choice.DEFAULT


@pytest.mark.parametrize(("field", "value"), [("mail", "hourly"), ("mail", ""), ("topic-test.asked", "loud")])
def test_wrong_choices_are_told(people: People, field: str, value: str) -> None:
    topic()
    answer = people.ben.browser().post(PAGE, {"mail": "daily", field: value})
    assert answer.status_code == 422
    assert not MailPreference.objects.exists()


def test_the_page_says_where_mail_goes(people: People) -> None:
    assert "no mail address" in people.ben.browser().get(PAGE).content.decode()
    User.objects.filter(username="ben").update(email="ben@example.org")
    assert "ben@example.org" in people.ben.browser().get(PAGE).content.decode()


def test_what_one_follows_is_listed_and_left(people: People) -> None:
    found = follow(people, make_model(people.ada), people.ben.user)
    browser = people.ben.browser()
    assert ">iris</a>" in browser.get(PAGE).content.decode()
    for other in (people.ada, people.root):
        assert other.browser().post(f"{PAGE}followed/{found.pk}/end/").status_code == 404
    assert browser.post(f"{PAGE}followed/{found.pk}/end/").status_code == 302
    assert "Nothing yet" in browser.get(PAGE).content.decode()


def test_what_one_may_no_longer_read_is_not_named(people: People) -> None:
    model = make_model(people.ada, "secret-model")
    found = follow(people, model, people.cleo.user)
    grant = Grant.objects.create(
        kind=ObjectKind.REGISTERED_MODEL, object_id=model.pk, user=people.cleo.user, level=Level.READ
    )
    browser = people.cleo.browser()
    assert "secret-model" in browser.get(PAGE).content.decode()
    grant.delete()
    assert "secret-model" not in browser.get(PAGE).content.decode()
    assert browser.post(f"{PAGE}followed/{found.pk}/end/").status_code == 302
    assert not Subscription.objects.exists()


def test_the_menu_of_a_model_follows_and_mutes_it(people: People) -> None:
    path, browser = path_of(make_model(people.ada)), people.vera.browser()
    htmx = {"HX-Request": "true"}
    assert ">Follow<" in browser.get(path, headers=htmx).content.decode()
    assert ">Following<" in browser.post(path, {"choice": "all"}, headers=htmx).content.decode()
    assert Subscription.objects.get().user == people.vera.user
    assert ">Muted<" in browser.post(path, {"choice": "none"}, headers=htmx).content.decode()
    browser.post(path, {"choice": "default"}, headers=htmx)
    assert not Subscription.objects.exists()


def test_the_menu_is_a_page_without_scripts(people: People) -> None:
    path, browser = path_of(make_model(people.ada)), people.vera.browser()
    assert "<h1>Notifications of iris</h1>" in browser.get(path).content.decode()
    assert browser.post(path, {"choice": "all"})["Location"] == "/models/forge/iris/"
    assert browser.post(path, {"choice": "loud"}).status_code == 422


def test_who_may_not_read_it_can_not_follow_it(people: People) -> None:
    path = path_of(make_model(people.ada))
    assert people.cleo.browser().post(path, {"choice": "all"}).status_code == 404
    assert people.ben.browser().get("/subscriptions/nonsense/7/").status_code == 404
    assert people.ben.browser().get("/subscriptions/registered_model/id:999999/").status_code == 404
    assert people.ben.browser().delete(path).status_code == 405
    assert not Subscription.objects.exists()


@pytest.mark.parametrize("count", [2, 20])
def test_statements_do_not_grow(people: People, django_assert_num_queries: DjangoAssertNumQueries, count: int) -> None:
    for number in range(count):
        model = make_model(people.ada, f"m{number}")
        follow(people, model, people.cleo.user)
        Grant.objects.create(
            kind=ObjectKind.REGISTERED_MODEL, object_id=model.pk, user=people.cleo.user, level=Level.READ
        )
    browser = people.cleo.browser()
    browser.get(PAGE)
    with django_assert_num_queries(11):
        assert "m1</a>" in browser.get(PAGE).content.decode()
