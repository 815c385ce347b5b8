"""Whether a host that stops may end what it has: not before others answer for it, where there are others."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from apps.deployments.models import ALIVE_MS, Instance, InstanceState, ServingHost
from apps.projects.actions.common import DatabaseMs


def is_missed(host: ServingHost, rows: Iterable[Instance]) -> bool:
    """Whether one of a host's instances answers in a place in which none of another host does yet, and one could.

    Two statements, or none where nothing answers.
    """
    answering = [row for row in rows if row.state == InstanceState.READY and row.drain_ms is None]
    if not answering:
        return False
    offered, taken = _offered_beside(host), _taken_beside(host, {row.revision_id for row in answering})
    return any(row.target in offered and (row.revision_id, row.slot) not in taken for row in answering)


def _offered_beside(host: ServingHost) -> set[str]:
    others = ServingHost.objects.filter(stopped_ms__isnull=True, seen_ms__gt=DatabaseMs() - ALIVE_MS)
    return {target for other in others.exclude(pk=host.pk) for target in other.targets}


def _taken_beside(host: ServingHost, revisions: Collection[int]) -> set[tuple[int, int]]:
    ready = Instance.objects.alive().filter(state=InstanceState.READY, drain_ms__isnull=True, revision__in=revisions)
    return set(ready.exclude(host=host.name).values_list("revision_id", "slot"))
