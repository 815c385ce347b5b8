"""Project runs as lists show them: whose, in which state, and where in their queue."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.db.models import QuerySet

from apps.core.actor import Actor
from apps.projects.models import ACTIVE, ENDED, Project, ProjectRun, RunState

_MOST_PLACES = 5000
# What lists can be narrowed to: one state, or all that go on or have ended.
STATES = {"active": ACTIVE, "ended": ENDED, **{state.value: (state,) for state in RunState}}


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a list of runs is narrowed; what is empty narrows nothing."""

    state: str = ""
    project: int | None = None
    queue: str = ""
    text: str = ""
    mine: bool = False

    @property
    def is_narrowed(self) -> bool:
        """Whether something is left out."""
        return self != Wanted()


def runs_matching(actor: Actor, wanted: Wanted) -> QuerySet[ProjectRun]:
    """Runs of the actor's lists, newest first, with what their rows show."""
    found = ProjectRun.objects.listed_for(actor)
    if wanted.state in STATES:
        found = found.filter(state__in=STATES[wanted.state])
    if wanted.project is not None:
        found = found.filter(project_id=wanted.project)
    if wanted.queue:
        found = found.filter(queue=wanted.queue)
    if wanted.text:
        found = found.filter(project_name__icontains=wanted.text)
    if wanted.mine:
        found = found.filter(owner_id=actor.user_id or 0)
    return _listed(found)


def runs_of(actor: Actor, project: Project) -> QuerySet[ProjectRun]:
    """All runs of a project that the actor may read, newest first."""
    found = ProjectRun.objects.visible_to(actor).filter(project=project)
    return _listed(found)


def places_in(runs: list[ProjectRun]) -> dict[int, int]:
    """Where those of these runs that wait stand in their queues, by key, counted from 1. One statement at most.

    Runs of teams that the caller can't see count too: they are served before. Who stands behind thousands has no place.
    """
    waiting = {run.pk for run in runs if run.state == RunState.QUEUED}
    if not waiting:
        return {}
    queues = {run.queue for run in runs if run.pk in waiting}
    ordered = ProjectRun.objects.filter(state=RunState.QUEUED, queue__in=queues).order_by("queue", "-priority", "pk")
    seen: Counter[str] = Counter()
    places = {}
    for pk, queue in ordered.values_list("pk", "queue")[:_MOST_PLACES]:
        seen[queue] += 1
        if pk in waiting:
            places[pk] = seen[queue]
    return places


def active_runs(actor: Actor, limit: int) -> list[ProjectRun]:
    """The newest of the actor's lists that wait or go on."""
    return list(runs_matching(actor, Wanted(state="active"))[:limit])


def _listed(found: QuerySet[ProjectRun]) -> QuerySet[ProjectRun]:
    """With what rows show; what their projects say, which may be long, is not among it."""
    return found.select_related("team", "project__team", "run").defer("project__document").order_by("-pk")
