"""What Prometheus reads of runs of projects, of the queues they wait in, and of workers. Five statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from django.db.models import Count, F, Min, Q, Sum
from django.db.models.functions import Greatest
from prometheus_client.core import GaugeMetricFamily, Metric

from apps.core.monitoring import declare_families, declare_gauge, gauge_of
from apps.projects.actions.common import now_ms
from apps.projects.models import Archive, JobKind, ProjectRun, Queue, RunState
from apps.projects.selectors.workers import alive_workers


def _runs() -> Iterator[Metric]:
    rows = ProjectRun.objects.order_by().values_list("kind", "state").annotate(count=Count("pk"))
    found = {(kind, state): count for kind, state, count in rows}
    numbers = [
        ((kind, state), float(found.get((kind, state), 0))) for kind in JobKind.values for state in RunState.values
    ]
    yield gauge_of("slipway_project_runs", "Runs of projects and builds.", numbers, "kind", "state")


def _queues() -> Iterator[Metric]:
    now = now_ms()
    since = Min(Greatest(F("queued_ms"), F("not_before_ms")), filter=Q(not_before_ms__lte=now))
    rows = ProjectRun.objects.filter(state=RunState.QUEUED).order_by().values("queue")
    rows = rows.annotate(count=Count("pk"), since=since)
    found: dict[str, tuple[int, int | None]] = {row["queue"]: (row["count"], row["since"]) for row in rows}
    alive = alive_workers()
    served = Counter(name for worker in alive if not worker.is_draining for name in worker.queues)
    queues = list(Queue.objects.all())
    waiting, oldest, workers, paused = [], [], [], []
    for queue in queues:
        count, began = found.get(queue.name, (0, None))
        labels = (queue.name,)
        waiting.append((labels, float(count)))
        oldest.append((labels, max(0.0, (now - began) / 1000) if began else 0.0))
        workers.append((labels, float(served[queue.name])))
        paused.append((labels, float(queue.is_paused)))
    help = "Since when the first run of a queue could have been taken."
    yield gauge_of("slipway_project_queue_waiting", "Runs that wait in a queue.", waiting, "queue")
    yield gauge_of("slipway_project_queue_oldest_seconds", help, oldest, "queue")
    yield gauge_of("slipway_project_queue_workers", "Workers that take runs of a queue.", workers, "queue")
    yield gauge_of("slipway_project_queue_paused", "Whether somebody paused a queue.", paused, "queue")
    draining = sum(worker.is_draining for worker in alive)
    states = [(("alive",), float(len(alive) - draining)), (("draining",), float(draining))]
    yield gauge_of("slipway_workers", "Workers of runs that said lately that they live.", states, "state")
    slots = sum(worker.concurrency for worker in alive if not worker.is_draining)
    yield GaugeMetricFamily("slipway_worker_slots", "How many runs they do at once.", value=slots)


def _archive_bytes() -> float:
    return Archive.objects.aggregate(bytes=Sum("bytes"))["bytes"] or 0


declare_families(_runs)
declare_families(_queues)
declare_gauge("slipway_project_archive_bytes", "What uploaded projects take.", _archive_bytes)
