from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Case, F, QuerySet, Value, When
from django.utils import timezone

from apps.core.actor import Actor
from apps.notifications.models import Delivery, DeliveryState, MailOut, Notification
from apps.notifications.outbox import GIVE_UP_AFTER
from apps.notifications.querysets import DeliveryQuerySet

KEPT = timedelta(days=30)
INBOX_KEPT = timedelta(days=180)
_BATCH = 1000
_WAITED_TOO_LONG = "others of the webhook came first for a day"


def prune(actor: Actor) -> int:
    """Remove what is older than it is kept; how many rows. In small transactions, so that nobody waits long.

    What still waits behind a webhook that was down all day is given up first: it is tried in turn, two at a time.
    """
    now = timezone.now()
    _give_up(Delivery.objects.due().filter(created_at__lt=now - GIVE_UP_AFTER))
    return (
        _remove(Delivery.objects.filter(finished_at__lt=now - KEPT))
        + _remove(MailOut.objects.filter(finished_at__lt=now - KEPT))
        + _remove(Notification.objects.filter(created_at__lt=now - INBOX_KEPT))
    )


def _give_up(late: DeliveryQuerySet) -> None:
    while ids := list(late.order_by().values_list("pk", flat=True)[:_BATCH]):
        # Asked again: one that a sender took meanwhile is the sender's to end.
        still = Delivery.objects.due().filter(pk__in=ids)
        reason = Case(When(error="", then=Value(_WAITED_TOO_LONG)), default=F("error"))
        still.update(state=DeliveryState.FAILED, finished_at=timezone.now(), claimed_until=None, error=reason)


def _remove(old: QuerySet[Any]) -> int:
    count = 0
    while ids := list(old.order_by().values_list("pk", flat=True)[:_BATCH]):
        old.model._default_manager.filter(pk__in=ids).delete()
        count += len(ids)
    return count
