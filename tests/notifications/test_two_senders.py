"""Workers that run at the same time, each on a connection of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TypeVar

import pytest
from django.core import mail
from django.db import connection, transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.core.actor import system_actor
from apps.notifications import outbox
from apps.notifications.actions import publish, set_preferences, write_digests
from apps.notifications.models import Delivery, MailOut, MailPreference, MailTiming
from tests.notifications.happenings import happening
from tests.notifications.hooks import make_hook
from tests.personas import People

HOOKS, WORKERS = 12, 4

R = TypeVar("R")

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
    pytest.mark.django_db(transaction=True),
]


def together(work: Callable[[], R]) -> list[R]:
    """What each of some workers comes to, who begin at once."""
    begin = Barrier(WORKERS)

    def worker() -> R:
        begin.wait()
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as threads:
        return [future.result() for future in [threads.submit(worker) for _ in range(WORKERS)]]


def test_no_delivery_is_claimed_twice(people: People) -> None:
    hooks = [make_hook(people, "https://8.8.8.8/hook") for _ in range(HOOKS)]
    Delivery.objects.bulk_create(Delivery(webhook=hook, event="x", payload="{}") for hook in hooks)
    held = together(lambda: [row.pk for _ in range(4) for row in outbox._claim(5)])
    # Whoever comes while others hold theirs may go empty: what was left is there for the next.
    held.append([row.pk for row in outbox._claim(HOOKS)])
    assert sorted(pk for each in held for pk in each) == sorted(Delivery.objects.values_list("pk", flat=True))


def test_a_digest_is_written_once(people: People) -> None:
    User.objects.filter(pk=people.ben.user.pk).update(email="ben@example.org")
    set_preferences(people.ben.actor, mail=MailTiming.DAILY)
    MailPreference.objects.update(digest_at=timezone.now() - timedelta(days=2))
    with transaction.atomic():
        publish(people.ada.actor, happening=happening(people), to=[people.ben.user.pk])
    assert sorted(together(lambda: write_digests(system_actor()))) == [0, 0, 0, 1]
    assert (MailOut.objects.count(), len(mail.outbox)) == (1, 1)
