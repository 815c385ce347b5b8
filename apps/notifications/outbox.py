"""The outbox: deliveries, written with what they tell and sent after commit, each until it is through or a day old.

A sender claims a few of each webhook under a lease, sends on threads that touch no database, and writes down what came
of it. What a killed sender held is free again when the lease ends, and is sent a second time under the same id.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from apps.core import tasks
from apps.core.encryption import unseal
from apps.core.errors import Conflict, DomainError, TooManyRequests, Unavailable
from apps.core.outgoing import Answer, OutgoingError, send
from apps.notifications.dialects import Call, Secrets, dialect_of
from apps.notifications.jobs import start_job
from apps.notifications.models import Delivery, DeliveryState, Webhook, WebhookStatus
from apps.notifications.querysets import DeliveryQuerySet
from apps.notifications.rights import firing

THREADS = 16
# Of one webhook at a time: one that is down can't hold all threads.
PER_HOOK = 2
# Longer than a call can take; what is held longer was held by somebody who is gone.
LEASE = timedelta(seconds=40)
GIVE_UP_AFTER = timedelta(days=1)
KEPT_ANSWER = 4096
_WAITS = (5, 30, 120, 600, 1800, 3600, 7200, 14400, 21600)
_LONGEST_REST = 300
_RUN_SECONDS = 240.0
# A sender that didn't say for so long that it runs was killed.
_ALIVE_SECONDS = 20
_KICKED = "notifications.kicked"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call: an answer, or why there is none."""

    answer: Answer | None
    error: str = ""
    # Trying again would change nothing.
    is_final: bool = False

    @property
    def went_through(self) -> bool:
        """Whether the receiver took it: any 2xx without a complaint."""
        return self.answer is not None and 200 <= self.answer.status < 300 and not self.error


def kick() -> None:
    """Say, after commit, that there is something to send."""
    from apps.notifications.tasks import send_deliveries

    tasks.kick(send_deliveries, _KICKED)


def send_due() -> int:
    """Send what is due; how many calls were made. One sender at a time: another leaves it to the one that runs."""
    return tasks.do_alone(_send_until_nothing_is_due, _KICKED, seconds=_ALIVE_SECONDS)


def make_call(delivery: Delivery) -> Call:
    """The request of a delivery, signed now. Raises `DomainError` where the secrets can't be read."""
    hook = delivery.webhook
    secrets = Secrets(unseal(hook.sealed_secret), unseal(hook.sealed_authorization))
    return dialect_of(hook.dialect).call(hook.url, delivery.payload, delivery.uid, timezone.now(), secrets)


def post(call: Call, hook: Webhook) -> Outcome:
    """Make a call of the hook. Never raises for what the other side does, and touches no database."""
    try:
        answer = send("POST", call.url, headers=call.headers, body=call.body, verify_tls=hook.verify_tls)
    except OutgoingError as error:
        return Outcome(None, str(error))
    return Outcome(answer, dialect_of(hook.dialect).refusal(answer.text))


def start(delivery: Delivery) -> Outcome:
    """Start the job of a delivery's webhook. What it raises for a reason that stays is over, else tried again."""
    try:
        with transaction.atomic():
            return Outcome(Answer(200, start_job(delivery)))
    except (Conflict, Unavailable, TooManyRequests) as error:
        return Outcome(None, error.message)
    except DomainError as error:
        return Outcome(None, error.message, is_final=True)


def note(delivery: Delivery, outcome: Outcome) -> None:
    """Put an outcome into the fields of the row; the caller saves it."""
    delivery.status = outcome.answer.status if outcome.answer else None
    delivery.answer = outcome.answer.text[:KEPT_ANSWER] if outcome.answer else ""
    refused = f"answered {delivery.status}" if delivery.status and not outcome.went_through else ""
    delivery.error = (outcome.error or refused)[:500]


def _send_until_nothing_is_due() -> int:
    count, end = 0, time.monotonic() + _RUN_SECONDS
    flying: dict[Future[Outcome], Delivery] = {}
    with ThreadPoolExecutor(THREADS, thread_name_prefix="slipway-outbox") as threads:
        while True:
            cache.delete(_KICKED)
            tasks.still_at_it(_KICKED, seconds=_ALIVE_SECONDS)
            room = THREADS - len(flying) if time.monotonic() < end else 0
            claimed = _claim(room) if room else []
            for delivery, call in _ready(claimed):
                flying[threads.submit(post, call, delivery.webhook)] = delivery
                count += 1
            # What was claimed and may not be sent is over; others may stand behind it.
            if not (claimed or flying):
                return count
            for future in wait(flying, timeout=1, return_when=FIRST_COMPLETED).done:
                _write(flying.pop(future), future.result())


def _claim(room: int) -> list[Delivery]:
    """Up to `room` deliveries, a few of each webhook, held under a lease. A constant number of statements."""
    now = timezone.now()
    # Without a transaction: on SQLite, one would keep all writers waiting for each look.
    if not _free(now).exists():
        return []
    with transaction.atomic():
        found = _free(now).annotate(
            place=Window(RowNumber(), partition_by=F("webhook_id"), order_by=(F("next_at"), F("pk")))
        )
        ids = list(found.filter(place__lte=PER_HOOK).order_by("next_at").values_list("pk", flat=True)[:room])
        if not ids:
            return []
        # Asked again under the lock: another sender may have taken some meanwhile.
        held = Delivery.objects.due().filter(pk__in=ids).select_for_update(of=("self",), skip_locked=True)
        rows = list(held.select_related("webhook__owner").order_by("next_at"))
        until = now + LEASE
        Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(claimed_until=until, attempts=F("attempts") + 1)
    for row in rows:
        row.claimed_until, row.attempts = until, row.attempts + 1
    return rows


def _free(now: datetime) -> DeliveryQuerySet:
    busy = Delivery.objects.filter(webhook=OuterRef("webhook"), state=DeliveryState.PENDING, claimed_until__gte=now)
    rested = Q(webhook__rests_until__isnull=True) | Q(webhook__rests_until__lte=now)
    return Delivery.objects.due().filter(rested, ~Exists(busy))


def _drop_silenced(rows: list[Delivery]) -> list[Delivery]:
    """End those of webhooks that may not speak any more."""
    allowed = firing({row.webhook_id: row.webhook for row in rows}.values())
    kept = []
    for row in rows:
        if row.webhook.status == WebhookStatus.DISABLED:
            _end(row, DeliveryState.FAILED, Outcome(None, "the webhook is disabled"))
        elif row.webhook_id not in allowed:
            _end(row, DeliveryState.FAILED, Outcome(None, "whoever made the webhook may no longer do so"))
        else:
            kept.append(row)
    return kept


def _ready(claimed: list[Delivery]) -> Iterator[tuple[Delivery, Call]]:
    """Those that may be sent, each with its request; the others are ended. Jobs are started here and now."""
    for delivery in _drop_silenced(claimed) if claimed else []:
        if delivery.webhook.job:
            # In one transaction with what is noted of it, so that it is started once.
            with transaction.atomic():
                _write(delivery, start(delivery))
            continue
        try:
            yield delivery, make_call(delivery)
        except DomainError as error:
            _end(delivery, DeliveryState.FAILED, Outcome(None, error.message))


def _write(delivery: Delivery, outcome: Outcome) -> None:
    hook = Webhook.objects.filter(pk=delivery.webhook_id)
    if outcome.went_through:
        _end(delivery, DeliveryState.DELIVERED, outcome)
        hook.filter(failures__gt=0).update(failures=0, rests_until=None)
        return
    now = timezone.now()
    delay = _wait_after(delivery.attempts)
    if outcome.is_final or now + delay > delivery.created_at + GIVE_UP_AFTER:
        _end(delivery, DeliveryState.FAILED, outcome)
    else:
        note(delivery, outcome)
        _save(delivery, next_at=now + delay, claimed_until=None)
    rest = min(2 ** min(delivery.webhook.failures, 10), _LONGEST_REST)
    hook.update(failures=F("failures") + 1, rests_until=now + timedelta(seconds=rest))


def _end(delivery: Delivery, state: DeliveryState, outcome: Outcome) -> None:
    note(delivery, outcome)
    _save(delivery, state=state, finished_at=timezone.now(), claimed_until=None)


def _save(delivery: Delivery, **values: object) -> None:
    """Only while the lease is ours: another sender may have taken it over."""
    held = Delivery.objects.filter(pk=delivery.pk, claimed_until=delivery.claimed_until, state=DeliveryState.PENDING)
    held.update(status=delivery.status, answer=delivery.answer, error=delivery.error, **values)


def _wait_after(attempts: int) -> timedelta:
    """With jitter, so that what failed together doesn't come back together."""
    seconds = _WAITS[min(attempts, len(_WAITS)) - 1]
    return timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # noqa: S311
