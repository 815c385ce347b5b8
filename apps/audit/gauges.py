from __future__ import annotations

from collections.abc import Iterator

from django.core.cache import cache
from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from apps.audit.sealing import newest_seal, pending
from apps.audit.verification import LAST_KEY
from apps.core.monitoring import declare_families


def _chain() -> Iterator[Metric]:
    seal = newest_seal()
    end = seal.sequence if seal else 0
    yield GaugeMetricFamily("slipway_audit_sealed_sequence", "The last place of the audit chain.", value=end)
    if seal is not None:
        help = "When the chain was last carried on."
        when = seal.sealed_at.timestamp()
        yield GaugeMetricFamily("slipway_audit_sealed_timestamp_seconds", help, value=when)
    waiting = pending().aggregate(count=Count("pk"), oldest=Min("created_at"))
    help = "Events that have no place in the chain yet."
    yield GaugeMetricFamily("slipway_audit_pending_events", help, value=waiting["count"])
    age = (timezone.now() - waiting["oldest"]).total_seconds() if waiting["oldest"] else 0.0
    help = "How long the oldest of them waits."
    yield GaugeMetricFamily("slipway_audit_pending_oldest_seconds", help, value=max(0.0, age))


def _verified() -> Iterator[Metric]:
    last = cache.get(LAST_KEY)
    if last is not None:
        findings, when = last
        help = "What did not fit when a worker last walked the whole chain."
        yield GaugeMetricFamily("slipway_audit_findings", help, value=findings)
        help = "When that was."
        yield GaugeMetricFamily("slipway_audit_verified_timestamp_seconds", help, value=when)


declare_families(_chain)
declare_families(_verified)
