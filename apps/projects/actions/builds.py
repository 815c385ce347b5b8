"""Builds of model versions: asking for one, and what its worker notes under its fence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from apps.core.actor import Actor
from apps.core.errors import Conflict, InvalidInput, NotSignedIn
from apps.projects.actions.common import Fenced, now_ms
from apps.projects.actions.queueing import require_place, store_run
from apps.projects.asking.submission import HIGHEST, LOWEST, USUAL
from apps.projects.models import DEFAULT_QUEUE, HELD, Build, JobKind, ProjectRun, RunState
from apps.registry.facts import touch
from apps.registry.models import ModelVersion
from apps.runtime.limits import Limits

# Loading wants no more, and one that hangs is not waited for.
BUILD_SECONDS = 1800
# A lost worker says nothing about the files, so others try; what failed to build fails again.
_MORE_WORKERS = 2


def start_build(
    actor: Actor,
    *,
    version: ModelVersion,
    queue: str = DEFAULT_QUEUE,
    priority: int = USUAL,
    network: bool = False,
    note: str = "",
) -> ProjectRun:
    """Queue the build of a version that was fetched with the right to edit its model, with model and team.

    `network`: whether what it loads may reach others; where its worker has a sandbox. `note`: what it is for. Raises
    `InvalidInput`, and `Conflict` while a build of it waits or goes on.
    """
    if actor.user_id is None:
        raise NotSignedIn
    if version.is_broken or version.model.is_prompt:
        raise InvalidInput("This version names no files of this server, so there is nothing to build.")
    if not LOWEST <= priority <= HIGHEST:
        raise InvalidInput(f"priority has to be from {LOWEST} to {HIGHEST}.")
    run = _made(actor, version, queue, priority, Limits(seconds=BUILD_SECONDS, network=network))
    run.trigger_note = note[:500]
    with transaction.atomic():
        # Two that ask at once wait here for each other.
        ModelVersion.objects.select_for_update(no_key=True).get(pk=version.pk)
        going_on = ProjectRun.objects.active().filter(build__version=version).values_list("pk", flat=True).first()
        if going_on is not None:
            raise Conflict(f"A build of this version goes on already: run {going_on}.")
        require_place(run)
        store_run(actor, run)
        Build.objects.create(project_run=run, version=version)
    return run


def note_files(*, run: ProjectRun, stamp: str, size: int, sha256: str) -> None:
    """What an attempt builds. What an attempt before it found is forgotten. Raises `Fenced`."""
    _write(run, digest=stamp, result={"bytes": size, "sha256": sha256}, is_green=None, error="", finished_ms=None)


def note_result(*, run: ProjectRun, result: Mapping[str, Any]) -> None:
    """What its child found, beside what the worker knows better. Raises `Fenced`."""
    with transaction.atomic():
        build = Build.objects.get(project_run=run.pk)
        known = {name: build.result[name] for name in ("bytes", "sha256") if name in build.result}
        _write(run, result={**result, **known})


def note_build_ended(run: ProjectRun) -> None:
    """In the transaction that ends a run, of whatever kind: a build is green where its run finished."""
    if run.kind != JobKind.BUILD:
        return
    green = run.state == RunState.FINISHED
    ended = {"is_green": green, "error": "" if green else run.message, "finished_ms": now_ms()}
    found = Build.objects.filter(project_run=run.pk)
    found.update(**ended)
    touch(found.filter(version__isnull=False).values_list("version_id", flat=True))


def _write(run: ProjectRun, **values: object) -> None:
    held = ProjectRun.objects.filter(pk=run.pk, fence=run.fence, state__in=HELD)
    if not Build.objects.filter(project_run__in=held).update(**values):
        raise Fenced(f"{run} is not this worker's any more.")


def _made(actor: Actor, version: ModelVersion, queue: str, priority: int, limits: Limits) -> ProjectRun:
    model = version.model
    return ProjectRun(
        kind=JobKind.BUILD,
        team=model.team,
        project_name=f"{model.name[:80]} version {version.number}",
        owner_id=actor.user_id,
        owner_name=actor.username,
        entry_point="build",
        params={"model": model.name, "version": str(version.number)},
        limits=limits.to_json(),
        retries=_MORE_WORKERS,
        queue=queue,
        priority=priority,
        state=RunState.QUEUED,
        queued_ms=now_ms(),
    )
