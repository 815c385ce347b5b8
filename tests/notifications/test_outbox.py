from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import Membership
from apps.core.actor import Role
from apps.notifications import outbox, tasks
from apps.notifications.actions import HookChange, change_webhook, publish, redeliver
from apps.notifications.models import Delivery, DeliveryState, Webhook, WebhookStatus
from tests.notifications.happenings import happening
from tests.notifications.hooks import make_hook
from tests.personas import People
from tests.receiver import Receiver, receiver

CREATED = {"event": "model_version.created", "facts": {"name": "iris", "version": "2"}}


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


def happen(people: People, **more: Any) -> None:
    publish(people.ada.actor, happening=happening(people, **{**CREATED, **more}))


def make_due(*, after: timedelta = timedelta()) -> None:
    """As if the waits were over, or over after a while."""
    Delivery.objects.update(next_at=timezone.now() + after, claimed_until=None)
    Webhook.objects.update(rests_until=None)


def test_what_happens_arrives(people: People, there: Receiver) -> None:
    make_hook(people, f"{there.url}/hook")
    happen(people)
    assert Delivery.objects.get().state == DeliveryState.PENDING
    assert outbox.send_due() == 1
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.status, delivery.answer) == (DeliveryState.DELIVERED, 200, "thank you")
    body = json.loads(there.got[0].body)
    assert (body["type"], body["data"], body["team"]) == ("model_version.created", CREATED["facts"], "forge")
    assert outbox.send_due() == 0


def test_only_what_was_asked_for(people: People, there: Receiver) -> None:
    make_hook(people, there.url, events=["comment.created"])
    make_hook(people, there.url, status=WebhookStatus.TEST_MODE)
    make_hook(people, there.url, status=WebhookStatus.DISABLED)
    make_hook(people, there.url, dialect="mlflow", events=["registered_model.created"])
    happen(people)
    happen(people, event="promotion_request.created")
    assert Delivery.objects.count() == 0


def test_hooks_of_other_teams_and_objects_stay_silent(people: People, there: Receiver) -> None:
    hook = make_hook(people, there.url)
    Webhook.objects.filter(pk=hook.pk).update(team=people.harbour)
    happen(people)
    Webhook.objects.filter(pk=hook.pk).update(team=people.forge, kind="registered_model", object_id=8)
    happen(people)
    assert Delivery.objects.count() == 0
    Webhook.objects.filter(pk=hook.pk).update(object_id=7)
    happen(people)
    Webhook.objects.filter(pk=hook.pk).update(team=None, kind="", object_id=None)
    happen(people)
    assert Delivery.objects.count() == 2


@pytest.mark.parametrize("when", ["before", "between"])
def test_it_falls_silent_when_its_maker_loses_the_right(people: People, there: Receiver, when: str) -> None:
    member = Membership.objects.get(user=people.max.user)
    member.role = Role.ADMIN
    member.save()
    make_hook(people, there.url, by=people.max)
    if when == "between":
        happen(people)
    member.role = Role.MAINTAINER
    member.save()
    if when == "before":
        happen(people)
    assert outbox.send_due() == 0
    assert there.got == []
    assert [delivery.state for delivery in Delivery.objects.all()] == ([] if when == "before" else ["failed"])


def test_nothing_is_sent_of_what_is_rolled_back(people: People, there: Receiver) -> None:
    make_hook(people, there.url)
    with transaction.atomic():
        happen(people)
        transaction.set_rollback(True)
    assert outbox.send_due() == 0


@pytest.mark.parametrize("path", ["status/500", "status/404", "redirect"])
def test_what_is_not_taken_is_tried_again_for_a_day(people: People, there: Receiver, path: str) -> None:
    make_hook(people, f"{there.url}/{path}")
    happen(people)
    began = timezone.now()
    assert outbox.send_due() == 1
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts) == (DeliveryState.PENDING, 1)
    assert delivery.error.startswith("answered ")
    assert began + timedelta(seconds=4) <= delivery.next_at <= timezone.now() + timedelta(seconds=6)
    make_due(after=timedelta(minutes=1))
    assert outbox.send_due() == 0
    make_due()
    assert outbox.send_due() == 1
    assert len({got.headers["webhook-id"] for got in there.got}) == 1
    Delivery.objects.update(created_at=timezone.now() - timedelta(days=1))
    make_due()
    outbox.send_due()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (DeliveryState.FAILED, 3)
    assert delivery.finished_at


def test_one_that_is_down_does_not_keep_others_waiting(people: People, there: Receiver) -> None:
    dead = make_hook(people, "http://127.0.0.1:1/")
    make_hook(people, f"{there.url}/alive")
    for _ in range(6):
        happen(people)
    assert outbox.send_due() == outbox.PER_HOOK + 6
    assert len(there.got) == 6
    dead.refresh_from_db()
    assert dead.failures == outbox.PER_HOOK
    assert dead.rests_until and dead.rests_until > timezone.now()


def test_what_somebody_holds_is_left_until_the_lease_ends(people: People, there: Receiver) -> None:
    make_hook(people, there.url)
    happen(people)
    claimed = outbox._claim(5)
    assert (len(claimed), outbox.send_due()) == (1, 0)
    Delivery.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert outbox.send_due() == 1
    # Who was thought dead comes back: its lease is gone, and what it says counts no more.
    outbox._write(claimed[0], outbox.Outcome(None, "late"))
    assert Delivery.objects.get().state == DeliveryState.DELIVERED


def test_claiming_costs_the_same_for_many(
    people: People, there: Receiver, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(8):
        make_hook(people, there.url)
    happen(people)
    with django_assert_num_queries(6):
        claimed = outbox._claim(16)
    with django_assert_num_queries(1):
        assert len(list(outbox._ready(claimed))) == 8


def test_hooks_cost_a_constant_number_of_statements(
    people: People, there: Receiver, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(8):
        make_hook(people, there.url)
    actor, about = people.ada.actor, happening(people, **CREATED)
    with django_assert_num_queries(5):
        publish(actor, happening=about)
    assert Delivery.objects.count() == 8


def test_a_disabled_one_ends_what_is_pending(people: People, there: Receiver) -> None:
    hook = make_hook(people, there.url)
    happen(people)
    change_webhook(people.root.actor, webhook=hook, change=HookChange(status=WebhookStatus.DISABLED))
    assert outbox.send_due() == 0
    assert Delivery.objects.get().state == DeliveryState.FAILED


def test_many_that_may_not_speak_keep_nobody_waiting(people: People, there: Receiver) -> None:
    hooks = [make_hook(people, there.url) for _ in range(9)]
    for _ in range(3):
        happen(people)
    Webhook.objects.filter(pk__in=[hook.pk for hook in hooks[:-1]]).update(status=WebhookStatus.DISABLED)
    Delivery.objects.filter(webhook=hooks[-1]).update(next_at=timezone.now())
    assert outbox.send_due() == 3
    assert not Delivery.objects.filter(state=DeliveryState.PENDING).exists()


def test_redelivery_is_a_new_delivery(people: People, there: Receiver) -> None:
    make_hook(people, there.url)
    happen(people)
    outbox.send_due()
    redeliver(people.root.actor, delivery=Delivery.objects.get())
    assert outbox.send_due() == 1
    assert there.got[0].body == there.got[1].body
    assert there.got[0].headers["webhook-id"] != there.got[1].headers["webhook-id"]


@pytest.mark.django_db(transaction=True)
def test_commit_kicks_the_task(people: People, there: Receiver) -> None:
    make_hook(people, there.url)
    with transaction.atomic():
        happen(people)
        assert there.got == []
    assert len(there.got) == 1


def test_a_kick_that_comes_while_one_sends_is_not_lost(
    people: People, there: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_hook(people, there.url)
    happen(people)
    send = outbox._send_until_nothing_is_due

    def send_and_hear_of_another() -> int:
        count = send()
        if Delivery.objects.count() == 1:
            happen(people)
            outbox.kick()
            # The kicked sender left it to this one.
            assert len(there.got) == 1
        return count

    monkeypatch.setattr(outbox, "_send_until_nothing_is_due", send_and_hear_of_another)
    assert outbox.send_due() == 2


def test_old_ones_are_pruned(people: People, there: Receiver) -> None:
    make_hook(people, there.url)
    happen(people)
    happen(people)
    outbox.send_due()
    first = Delivery.objects.earliest("pk")
    Delivery.objects.filter(pk=first.pk).update(finished_at=timezone.now() - timedelta(days=31))
    assert tasks.prune() == 1
    assert Delivery.objects.count() == 1


def test_a_backlog_is_given_up_after_a_day(people: People, there: Receiver) -> None:
    make_hook(people, there.url)
    for _ in range(3):
        happen(people)
    Delivery.objects.update(created_at=timezone.now() - timedelta(days=1, minutes=1))
    held = Delivery.objects.latest("pk")
    Delivery.objects.filter(pk=held.pk).update(claimed_until=timezone.now() + timedelta(seconds=30))
    tasks.prune()
    assert [delivery.state for delivery in Delivery.objects.order_by("pk")] == ["failed", "failed", "pending"]
    assert [bool(delivery.error) for delivery in Delivery.objects.order_by("pk")] == [True, True, False]
