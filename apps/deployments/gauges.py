"""What Prometheus reads of deployments, added up over all gateways."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

from django.db.models import Count
from prometheus_client.core import GaugeMetricFamily, Metric

from apps.core.monitoring import declare_families, declare_gauge, gauge_of
from apps.deployments.actions.common import now_ms
from apps.deployments.histogram import COLUMNS, quantile
from apps.deployments.models import ALIVE_MS, Deployment, Instance, ServingHost, TrafficMinute
from apps.deployments.selectors.states import states_of
from apps.deployments.state_words import WORDS

_QUANTILES = (0.5, 0.95, 0.99)


def _serving() -> Iterator[Metric]:
    yield _instances()
    yield from _traffic()


def _deployments() -> Iterator[Metric]:
    """Three statements, however many there are."""
    states = [
        (each.deployment.name, each.word.value) for each in states_of(list(Deployment.objects.order_by("pk"))).values()
    ]
    counted = Counter(word for _, word in states)
    each = [(pair, 1.0) for pair in states]
    sums = [((word,), float(counted[word])) for word in WORDS]
    yield gauge_of("slipway_deployments", "Deployments by how they stand.", sums, "state")
    help = "Always 1; its label state says how a deployment stands."
    yield gauge_of("slipway_deployment_state", help, each, "deployment", "state")


def _hosts() -> float:
    alive = ServingHost.objects.filter(stopped_ms__isnull=True, seen_ms__gt=now_ms() - ALIVE_MS)
    return alive.count()


def _instances() -> Metric:
    family = GaugeMetricFamily(
        "slipway_serving_instances", "Instances that have not ended.", labels=["deployment", "revision", "state"]
    )
    names = ("revision__deployment__name", "revision__number", "state")
    for *labels, count in Instance.objects.alive().values_list(*names).annotate(Count("pk")).order_by(*names):
        family.add_metric([str(label) for label in labels], count)
    return family


def _traffic() -> Iterator[Metric]:
    calls = GaugeMetricFamily(
        "slipway_serving_calls_per_minute",
        "Calls through the gateways in the last whole minute.",
        labels=["deployment", "revision", "outcome"],
    )
    latency = GaugeMetricFamily(
        "slipway_serving_latency_seconds",
        "Time to the head of a model's answer, or until it was given up, in the last whole minute, by quantile.",
        labels=["deployment", "revision", "q"],
    )
    # The minute before is whole once every gateway has written, which each does all two seconds.
    minute = int((time.time() - 5) // 60) - 1
    rows = TrafficMinute.objects.filter(minute=minute).select_related("revision__deployment")
    for row in rows.order_by("revision_id"):
        labels = [row.revision.deployment.name, str(row.revision.number)]
        failed = row.client_errors + row.server_errors + row.unreached
        outcomes = {
            "ok": row.requests - failed,
            "client_error": row.client_errors,
            "server_error": row.server_errors,
            "unreached": row.unreached,
        }
        for outcome, count in outcomes.items():
            calls.add_metric([*labels, outcome], count)
        counts = [getattr(row, column) for column in COLUMNS]
        for part in _QUANTILES:
            if (milliseconds := quantile(counts, part)) is not None:
                latency.add_metric([*labels, str(part)], milliseconds / 1000)
    yield from (calls, latency)


declare_families(_serving)
declare_families(_deployments)
declare_gauge("slipway_serving_hosts", "Machines that serve and said lately that they live.", _hosts)
