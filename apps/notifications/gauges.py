from __future__ import annotations

from apps.core.monitoring import declare_gauge
from apps.notifications.models import Delivery, DeliveryState, MailOut

declare_gauge(
    "slipway_deliveries_pending",
    "Calls of webhooks that wait, or are tried again.",
    lambda: Delivery.objects.filter(state=DeliveryState.PENDING).count(),
)
declare_gauge(
    "slipway_mails_pending",
    "Mails that wait, or are tried again.",
    lambda: MailOut.objects.filter(finished_at__isnull=True).count(),
)
