"""Workers with what they do, and queues with who serves them, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _

from apps.core.actor import Actor
from apps.projects.actions.common import now_ms
from apps.projects.models import DEFAULT_QUEUE, HELD, ProjectRun, Queue, RunState, Worker

# A worker that said nothing for so long is not counted on.
ALIVE_MS = 30_000


@dataclass
class WorkerRow:
    """A worker. `runs` are those of what it does that the actor may see, `busy` is how much it does."""

    worker: Worker
    is_alive: bool
    busy: int = 0
    runs: list[ProjectRun] = field(default_factory=list)
    isolation: str = ""
    lacks: list[str] = field(default_factory=list)
    gpus: list[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        """`alive`, `draining`, or `gone`: it ended, or says nothing."""
        if not self.is_alive:
            return "gone"
        return "draining" if self.worker.is_draining else "alive"

    @property
    def capacity(self) -> int:
        """How much of its capacity is taken, in percent."""
        return min(100, round(100 * self.busy / self.worker.concurrency)) if self.worker.concurrency else 100

    @property
    def hidden(self) -> int:
        """How many of its runs are others'."""
        return self.busy - len(self.runs)


@dataclass
class QueueRow:
    """A queue: how many runs wait and go on, and the workers that serve it."""

    queue: Queue
    waiting: int = 0
    running: int = 0
    workers: list[Worker] = field(default_factory=list)

    @property
    def is_served(self) -> bool:
        """Whether a worker that takes runs is there."""
        return any(not worker.is_draining for worker in self.workers)


def worker_rows(actor: Actor) -> list[WorkerRow]:
    """All workers that are known, those that are alive first. Three statements."""
    rows = {worker.pk: _row(worker) for worker in Worker.objects.all()}
    held = ProjectRun.objects.filter(state__in=HELD, worker__isnull=False)
    for worker_id in held.values_list("worker_id", flat=True):
        if worker_id in rows:
            rows[worker_id].busy += 1
    for run in held.visible_to(actor).select_related("team", "project").order_by("pk"):
        if run.worker_id in rows:
            rows[run.worker_id].runs.append(run)
    return sorted(rows.values(), key=lambda row: (not row.is_alive, row.worker.host, row.worker.name))


def queue_rows(names: Iterable[str] | None = None) -> list[QueueRow]:
    """All queues, or those named; the default first. Three statements."""
    found = Queue.objects.all() if names is None else Queue.objects.filter(name__in=list(names))
    rows = {queue.name: QueueRow(queue) for queue in found}
    active = ProjectRun.objects.active().filter(queue__in=list(rows)).order_by()
    for name, state, count in active.values_list("queue", "state").annotate(count=Count("pk")):
        if state == RunState.QUEUED:
            rows[name].waiting += count
        else:
            rows[name].running += count
    for worker in alive_workers():
        for name in worker.queues:
            if name in rows:
                rows[name].workers.append(worker)
    return sorted(rows.values(), key=lambda row: (row.queue.name != DEFAULT_QUEUE, row.queue.name))


def unknown_queues(rows: Iterable[WorkerRow], queues: Iterable[QueueRow]) -> list[str]:
    """Queues that workers serve and nobody made, so that no run can wait there."""
    known = {row.queue.name for row in queues}
    return sorted({name for row in rows if row.is_alive for name in row.worker.queues} - known)


def alive_workers() -> list[Worker]:
    """Those that said lately that they live."""
    return list(Worker.objects.filter(stopped_ms__isnull=True, seen_ms__gte=now_ms() - ALIVE_MS))


def _row(worker: Worker) -> WorkerRow:
    is_alive = worker.stopped_ms is None and worker.seen_ms >= now_ms() - ALIVE_MS
    abilities = worker.abilities
    return WorkerRow(
        worker,
        is_alive,
        isolation=str(abilities.get("isolation", "")),
        lacks=list(_lacks(abilities)) if abilities else [],
        gpus=[str(device) for device in abilities.get("gpus", [])],
    )


def _lacks(abilities: dict[str, Any]) -> Iterator[str]:
    """What its host can't do, as `apps.runtime.abilities` found it, in sentences."""
    if note := abilities.get("isolation_note"):
        yield f"sandbox: {note}"
    yield from map(str, abilities.get("lacks", []))
    docker = abilities.get("docker", {})
    if not docker.get("is_there"):
        yield _("docker: no engine answers here, so projects with docker_env can't run.")
    yield from map(str, docker.get("lacks", []))
    if not abilities.get("conda"):
        yield _("conda: not installed here; of conda.yaml the pip part alone is built.")
