from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count, Sum
from prometheus_client.core import GaugeMetricFamily, Metric

from apps.core.monitoring import declare_families, declare_gauge, gauge_of
from apps.experiments.models import Experiment, Run, RunStatus, StorageUsage


def _runs() -> Iterator[Metric]:
    found = dict(Run.objects.active().order_by().values_list("status").annotate(Count("pk")))
    numbers = [((status,), float(found.get(status, 0))) for status in RunStatus.values]
    yield gauge_of("slipway_runs", "Runs outside of the trash, by the protocol's status.", numbers, "status")


def _storage() -> Iterator[Metric]:
    found = StorageUsage.objects.aggregate(bytes=Sum("bytes"), files=Sum("files"))
    help = "What files of experiments take, as a worker counted within the last hour."
    yield GaugeMetricFamily("slipway_storage_bytes", help, value=found["bytes"] or 0)
    yield GaugeMetricFamily("slipway_storage_files", "How many they are.", value=found["files"] or 0)


declare_gauge("slipway_experiments", "Experiments outside of the trash.", lambda: Experiment.objects.active().count())
declare_families(_runs)
declare_families(_storage)
