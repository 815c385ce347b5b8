from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Min, Q
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from apps.core.monitoring import declare_families
from apps.notifications.models import Delivery, DeliveryState, MailOut, WebhookStatus


def _deliveries() -> Iterator[Metric]:
    now = timezone.now()
    rests = Q(webhook__rests_until__gt=now) | ~Q(webhook__status=WebhookStatus.ACTIVE)
    found = Delivery.objects.filter(state=DeliveryState.PENDING).aggregate(
        count=Count("pk"), oldest=Min("created_at"), due=Min("next_at", filter=~rests)
    )
    yield _number("slipway_deliveries_pending", "Calls of webhooks that wait, or are tried again.", found["count"])
    yield _age("slipway_deliveries_oldest_seconds", "How long the oldest of them is there.", found["oldest"], now)
    yield _age("slipway_deliveries_overdue_seconds", "For how long the most late of them is due.", found["due"], now)


def _mails() -> Iterator[Metric]:
    now = timezone.now()
    waiting = MailOut.objects.filter(finished_at__isnull=True)
    found = waiting.aggregate(count=Count("pk"), oldest=Min("created_at"), due=Min("next_at"))
    yield _number("slipway_mails_pending", "Mails that wait, or are tried again.", found["count"])
    yield _age("slipway_mails_oldest_seconds", "How long the oldest of them is there.", found["oldest"], now)
    yield _age("slipway_mails_overdue_seconds", "For how long the most late of them is due.", found["due"], now)


def _number(name: str, help: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help, value=value)


def _age(name: str, help: str, since: datetime | None, now: datetime) -> Metric:
    return _number(name, help, max(0.0, (now - since).total_seconds()) if since else 0.0)


declare_families(_deliveries)
declare_families(_mails)
