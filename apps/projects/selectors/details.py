"""What a run's page shows: how far it is and why it waits, its metrics, its command, and other runs beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apps.core.actor import Actor, Level
from apps.core.errors import InvalidInput
from apps.experiments.access import level_of_experiment
from apps.experiments.models import Run, Series
from apps.projects.asking.checking import command_for, entry_of
from apps.projects.models import ENDED, ProjectRun, RunState
from apps.projects.selectors.comparison import changes_between, run_before
from apps.projects.selectors.runs import places_in
from apps.projects.selectors.waiting import reasons_of

MOST_METRICS = 12
_MOST_CHILDREN = 50


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a run's way: `state` is `done`, `now`, `failed` or `ahead`; times in ms, None where unknown."""

    name: str
    state: str
    at_ms: int | None = None
    until_ms: int | None = None


def progress_of(run: ProjectRun) -> dict[str, Any]:
    """`steps`, and while it is queued its `place` and the `reasons` why it waits."""
    is_queued = run.state == RunState.QUEUED
    return {
        "steps": _steps(run),
        "place": places_in([run]).get(run.pk) if is_queued else None,
        "reasons": reasons_of(run) if is_queued else [],
    }


def tracking_of(actor: Actor, run: ProjectRun) -> Run | None:
    """Its tracking run, where the actor may read that too: a project may be shared, and its experiment not.

    The project run was fetched with its experiment and tracking run.
    """
    if run.run is None or run.experiment is None or run.run.is_deleted:
        return None
    return run.run if level_of_experiment(actor, run.experiment) >= Level.READ else None


def metrics_of(tracking: Run | None) -> dict[str, Any]:
    """The first metrics of a tracking run, and how many there are."""
    if tracking is None:
        return {"series": [], "series_count": 0}
    found = Series.objects.filter(run=tracking).order_by("key")
    series = list(found[: MOST_METRICS + 1])
    count = len(series) if len(series) <= MOST_METRICS else found.count()
    return {"series": series[:MOST_METRICS], "series_count": count}


def about(actor: Actor, run: ProjectRun) -> dict[str, Any]:
    """`command`, the `before` that it can be compared with and the `changes` since, the runs it started, who knows."""
    before = run_before(actor, run)
    children = ProjectRun.objects.visible_to(actor).filter(parent=run).select_related("run").order_by("pk")
    return {
        "command": command_of_run(run),
        "before": before,
        "changes": changes_between(before, run) if before else [],
        "children": list(children[:_MOST_CHILDREN]),
        "parent": _visible(actor, run.parent_id),
        "repeats": _visible(actor, run.repeats_id),
    }


def command_of_run(run: ProjectRun) -> str:
    """The command, as the project was last read; empty where that says nothing of the entry point."""
    document = run.project.document if run.project else None
    if not document:
        return ""
    try:
        return command_for(entry_of(document, run.entry_point), run.params)
    except InvalidInput:
        return ""


def _visible(actor: Actor, key: int | None) -> ProjectRun | None:
    return ProjectRun.objects.visible_to(actor).filter(pk=key).first() if key else None


def _steps(run: ProjectRun) -> list[Step]:
    """Queued, preparing, running, and how it ended. Where it ended early the steps it did not reach are left out."""
    has_ended = run.state in ENDED
    times = [("queued", run.queued_ms), ("preparing", run.claimed_ms), ("running", run.started_ms)]
    if run.state == RunState.QUEUED:  # an attempt that is over leaves its times
        times = [("queued", run.queued_ms), ("preparing", None), ("running", None)]
    if run.state == RunState.PREPARING:
        times[2] = ("running", None)
    reached = [(name, at) for name, at in times if at is not None]
    steps = []
    for place, (name, at) in enumerate(reached):
        until = reached[place + 1][1] if place + 1 < len(reached) else run.ended_ms
        is_now = not has_ended and place == len(reached) - 1
        steps.append(Step(name, "now" if is_now else "done", at, until))
    if has_ended:
        return [*steps, Step(run.state, "done" if run.state == RunState.FINISHED else "failed", run.ended_ms)]
    return [*steps, *(Step(name, "ahead") for name, at in times if at is None), Step("finished", "ahead")]
