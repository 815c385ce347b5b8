from __future__ import annotations

import pytest
from django.db import transaction
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import ObjectKind, User
from apps.core.actor import Level
from apps.notifications.actions import publish
from apps.notifications.models import (
    Choice,
    MailOut,
    MailPreference,
    MailTiming,
    Notification,
    Subscription,
    TopicPreference,
)
from tests.notifications.happenings import happening, topic
from tests.personas import People


def ids(*users: User) -> list[int]:
    return [user.pk for user in users]


def told() -> list[str]:
    return sorted(Notification.objects.values_list("user__username", flat=True))


def test_it_reaches_whom_it_concerns_and_never_the_actor(people: People) -> None:
    publish(people.ada.actor, happening=happening(people), to=ids(people.ada.user, people.max.user))
    line = Notification.objects.get()
    assert (line.user, line.actor_name, line.object_name, line.is_unread) == (people.max.user, "ada", "iris", True)
    assert line.url == "/models/forge/iris/versions/2/"


def test_only_those_who_may_read_it_hear_of_it(people: People) -> None:
    people.ben.user.is_active = False
    people.ben.user.save()
    everybody = ids(people.ben.user, people.vera.user, people.cleo.user, people.root.user)
    publish(people.ada.actor, happening=happening(people), to=everybody, mentioned=everybody)
    assert told() == ["root", "vera"]


def test_a_grant_reaches_too(people: People) -> None:
    from apps.accounts.models import Grant

    Grant.objects.create(kind=ObjectKind.REGISTERED_MODEL, object_id=7, team=people.harbour, level=Level.READ)
    publish(people.ada.actor, happening=happening(people), to=ids(people.cleo.user))
    assert told() == ["cleo"]


@pytest.mark.parametrize(
    ("of_object", "of_topic", "default", "concerned", "hears"),
    [
        (None, None, True, True, True),
        (None, None, True, False, False),
        (None, None, False, True, False),
        (None, Choice.DEFAULT, False, True, True),
        (Choice.ALL, None, False, False, True),
        (Choice.NONE, None, True, True, False),
        (None, Choice.ALL, False, False, True),
        (None, Choice.NONE, True, True, False),
        (Choice.ALL, Choice.NONE, True, True, False),
        (Choice.NONE, Choice.ALL, True, True, False),
    ],
)
def test_what_somebody_chose(
    people: People, of_object: str | None, of_topic: str | None, default: bool, concerned: bool, hears: bool
) -> None:
    ben = people.ben.user
    about = happening(people, topic=topic(f"test.default_{default}".lower(), default=default))
    if of_object:
        Subscription.objects.create(user=ben, kind=about.kind, object_id=7, choice=of_object)
    if of_topic:
        TopicPreference.objects.create(user=ben, topic=about.topic.code, choice=of_topic)
    publish(people.ada.actor, happening=about, to=ids(ben) if concerned else ())
    assert told() == (["ben"] if hears else [])


def test_a_mention_always_reaches(people: People) -> None:
    about = happening(people)
    Subscription.objects.create(user=people.ben.user, kind=about.kind, object_id=7, choice=Choice.NONE)
    publish(people.ada.actor, happening=about, mentioned=ids(people.ben.user))
    assert Notification.objects.get().is_mention


def test_a_group_is_done_when_it_is_decided(people: People) -> None:
    both = ids(people.max.user, people.root.user)
    publish(people.ada.actor, happening=happening(people, group="promotion-request:1"), to=both)
    publish(people.ada.actor, happening=happening(people, group="promotion-request:2"), to=both)
    decided = happening(people, group="promotion-request:1", closes_group=True, text="max approved it.")
    publish(people.max.actor, happening=decided, to=ids(people.ada.user))
    assert Notification.objects.filter(done_at__isnull=False).count() == 2
    assert Notification.objects.unread().count() == 3


def test_mail_goes_to_those_who_have_an_address_and_want_it_at_once(people: People) -> None:
    for persona, timing in ((people.ben, MailTiming.DAILY), (people.vera, None), (people.max, MailTiming.NONE)):
        User.objects.filter(pk=persona.user.pk).update(email=f"{persona.name}@example.org")
        if timing:
            MailPreference.objects.create(user=persona.user, timing=timing)
    publish(people.ada.actor, happening=happening(people), to=list(User.objects.values_list("pk", flat=True)))
    mail = MailOut.objects.get()
    assert mail.user == people.vera.user
    assert mail.subject == "ada asked that version 2 of iris enter Production."
    assert "http://localhost:5000/models/forge/iris/versions/2/" in mail.body


@pytest.mark.django_db(transaction=True)
def test_outside_of_a_transaction_it_is_a_programming_error(people: People) -> None:
    with pytest.raises(RuntimeError):
        publish(people.ada.actor, happening=happening(people))
    with transaction.atomic():
        publish(people.ada.actor, happening=happening(people))


def test_nobody_listening_costs_three_statements(
    people: People, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    about, actor = happening(people, event="model_version.created"), people.ada.actor
    with django_assert_num_queries(3):
        publish(actor, happening=about)


@pytest.mark.parametrize("count", [2, 12])
def test_many_listeners_cost_what_two_do(
    people: People, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    users = [User.objects.create(username=f"u{n}", email=f"u{n}@example.org") for n in range(count)]
    for user in users:
        user.memberships.create(team=people.forge, role="viewer")
    actor = people.ada.actor
    with django_assert_num_queries(6):
        publish(actor, happening=happening(people), to=ids(*users))
    assert MailOut.objects.count() == count
