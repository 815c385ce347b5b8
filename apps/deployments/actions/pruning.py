"""What nobody asks for any more goes: instances that ended long ago, minutes of traffic, hosts that are gone."""

from __future__ import annotations

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from apps.core.actor import Actor
from apps.deployments.actions.common import now_ms
from apps.deployments.actions.leading import forget_hosts
from apps.deployments.models import Instance, TrafficMinute

KEPT_INSTANCES = 50
KEPT_DAYS = 30
_AT_ONCE = 5_000


def prune(actor: Actor) -> int:
    """How many rows went. Each kind by few statements; what is more than fits goes the next time."""
    return _instances() + _minutes() + forget_hosts(actor)


def _instances() -> int:
    """Of each revision the last ones stay, with their logs."""
    place = Window(RowNumber(), partition_by="revision", order_by=F("pk").desc())
    ended = Instance.objects.filter(ended_ms__isnull=False).annotate(place=place)
    old = list(ended.filter(place__gt=KEPT_INSTANCES).values_list("pk", flat=True)[:_AT_ONCE])
    return Instance.objects.filter(pk__in=old).delete()[0] if old else 0


def _minutes() -> int:
    last = now_ms() // 60_000 - KEPT_DAYS * 24 * 60
    return TrafficMinute.objects.filter(minute__lt=last).delete()[0]
