"""All that the one who decides looks at, read by a constant number of statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import Max, Q

from apps.deployments.models import (
    Deployment,
    Instance,
    Revision,
    RevisionState,
    Route,
    ServingHost,
)
from apps.projects.models import ProjectRun, RunState, Worker
from apps.projects.selectors.workers import ALIVE_MS as WORKER_ALIVE_MS

ACTIVE = (RevisionState.PENDING, RevisionState.BUILDING, RevisionState.STARTING, RevisionState.READY)
# Workers beat each 5 s.


@dataclass(frozen=True)
class World:
    """Rows as they were at `now`, by the database's clock. Revisions have deployment, team and build at hand.

    `weights` are percents by revision, `alive` its instances, `ended` the last one that ended in each place of a
    revision. `hosts` are those that have not stopped; `heard` is when each was heard of last, also of those that have:
    what they had ends in its own time. `has_worker`: whether somebody will do the builds that wait.
    """

    now: int
    revisions: Sequence[Revision] = ()
    weights: Mapping[int, int] = field(default_factory=dict)
    alive: Mapping[int, Sequence[Instance]] = field(default_factory=dict)
    ended: Mapping[tuple[int, int], Instance] = field(default_factory=dict)
    hosts: Sequence[ServingHost] = ()
    heard: Mapping[str, int] = field(default_factory=dict)
    has_worker: bool = True
    # After so long a host that says nothing has nothing any more.
    gone_ms: int = 12 * 60_000


def look(now: int) -> World:
    """Six statements, or three where nothing is deployed; one more while builds wait."""
    revisions = list(_revisions())
    known = list(ServingHost.objects.order_by("name"))
    hosts = [host for host in known if host.stopped_ms is None]
    if not revisions:
        return World(now, hosts=hosts)
    keys = [revision.pk for revision in revisions]
    alive: dict[int, list[Instance]] = {}
    for instance in Instance.objects.alive().filter(revision__in=keys).order_by("pk"):
        alive.setdefault(instance.revision_id, []).append(instance)
    return World(
        now=now,
        revisions=revisions,
        weights=dict(Route.objects.filter(revision__in=keys).values_list("revision_id", "weight")),
        alive=alive,
        ended=_ended(revisions),
        hosts=hosts,
        heard={host.name: host.seen_ms for host in known},
        has_worker=_has_worker(now, revisions),
        # By then its keepers have ended what nobody looked after.
        gone_ms=(settings.SERVING_ORPHAN_SECONDS + 120) * 1000,
    )


def _revisions() -> Iterable[Revision]:
    """Those that are on their way, run, are wanted, or have something that runs."""
    served = Deployment.objects.filter(is_stopped=False, wanted__isnull=False)
    matters = (
        Q(state__in=ACTIVE)
        | Q(pk__in=served.values("wanted"))
        | Q(pk__in=Route.objects.filter(weight__gt=0, deployment__is_stopped=False).values("revision"))
        | Q(pk__in=Instance.objects.alive().values("revision"))
    )
    found = Revision.objects.filter(matters).select_related("deployment__team", "build__build")
    return found.order_by("deployment_id", "number")


def _ended(revisions: Sequence[Revision]) -> dict[tuple[int, int], Instance]:
    going = [each.pk for each in revisions if each.state in (RevisionState.STARTING, RevisionState.READY)]
    if not going:
        return {}
    last = Instance.objects.filter(revision__in=going, ended_ms__isnull=False).order_by()
    keys = last.values("revision", "slot").annotate(last=Max("pk")).values("last")
    return {(each.revision_id, each.slot): each for each in Instance.objects.filter(pk__in=keys)}


def _has_worker(now: int, revisions: Sequence[Revision]) -> bool:
    """Whether somebody will do the builds that wait. True where none does."""
    queues = {_queue(each.build) for each in revisions if each.state == RevisionState.BUILDING} - {""}
    if not queues:
        return True
    alive = Worker.objects.filter(stopped_ms__isnull=True, seen_ms__gt=now - WORKER_ALIVE_MS)
    served = {queue for worker_queues in alive.values_list("queues", flat=True) for queue in worker_queues}
    return queues <= served


def _queue(run: ProjectRun | None) -> str:
    return run.queue if run is not None and run.state == RunState.QUEUED else ""
