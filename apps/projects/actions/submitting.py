"""Queueing a run: the row, its tracking run, the audit event and the wake-up."""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.db import IntegrityError, transaction

from apps.core.actor import Actor
from apps.core.errors import Conflict, InvalidInput, NotFound, NotSignedIn
from apps.experiments import actions as experiments
from apps.experiments.models import Experiment, Run, RunStatus
from apps.projects.actions.admitting import admit
from apps.projects.actions.common import now_ms
from apps.projects.actions.queueing import require_place, store_run
from apps.projects.asking.checking import command_for, entry_of
from apps.projects.asking.submission import Submission
from apps.projects.models import Archive, Project, ProjectRun, RunState, Schedule, SourceKind, Trigger

_USUAL_NAME = "main"
_MAX_KEY = 100
_COMMIT = re.compile(r"[0-9a-f]{40}")


def submit_run(
    actor: Actor,
    *,
    submission: Submission,
    experiment: Experiment,
    project: Project,
    archive: Archive | None = None,
    trigger: Trigger = Trigger.PERSON,
    trigger_note: str = "",
    parent: ProjectRun | None = None,
    repeats: ProjectRun | None = None,
    schedule: Schedule | None = None,
    request_key: str = "",
    tags: Mapping[str, str] | None = None,
) -> ProjectRun:
    """Queue a run of a project, of `archive` where one is given; asked again under the same key, the one that is there.

    `tags` go to its tracking run, below those that every run has. The caller fetched project and experiment with the
    right to edit them. Raises `InvalidInput` for what can't be run, as far as that can be told now, `Conflict` where
    the team's quota is used up, `PermissionDenied` for secrets that are not the actor's to use. A constant number of
    statements.
    """
    if actor.user_id is None:
        raise NotSignedIn
    before = _asked_before(actor, project, request_key)
    if before is not None:
        return before
    run = _made(actor, submission.checked(), project, archive or project.archive)
    run.trigger, run.trigger_note, run.schedule = trigger, trigger_note[:500], schedule
    run.parent, run.repeats = parent, repeats
    run.experiment, run.request_key = experiment, request_key or None
    _check(run)
    return _store_once(actor, run, project, submission.run_name, tags or {})


def _store_once(actor: Actor, run: ProjectRun, project: Project, name: str, tags: Mapping[str, str]) -> ProjectRun:
    try:
        with transaction.atomic():
            return _stored(actor, run, name, tags)
    except (IntegrityError, Conflict) as error:
        # The same was asked twice at once, and the other one was first; it may have had the last place.
        found = _asked_before(actor, project, run.request_key or "")
        if found is not None:
            return found
        if isinstance(error, IntegrityError) and not Project.objects.filter(pk=project.pk).exists():
            raise NotFound(f"No project {project.name!r}.") from error
        raise


def _asked_before(actor: Actor, project: Project, key: str) -> ProjectRun | None:
    if not key:
        return None
    if len(key) > _MAX_KEY or "\x00" in key:
        raise InvalidInput(f"A key of a request has up to {_MAX_KEY} characters.")
    found = ProjectRun.objects.filter(owner_id=actor.user_id, request_key=key)
    run = found.select_related("team", "project", "experiment", "run").first()
    if run is not None and run.project_id != project.pk:
        raise InvalidInput("This key was used to start a run of another project.")
    return run


def _made(actor: Actor, asked: Submission, project: Project, archive: Archive | None) -> ProjectRun:
    return ProjectRun(
        team=project.team,
        project=project,
        project_name=project.name,
        owner_id=actor.user_id,
        owner_name=actor.username,
        source_kind=SourceKind.ARCHIVE if archive else project.source_kind,
        source_uri="" if archive else project.source_uri,
        source_version=asked.source_version or project.source_version,
        subfolder=project.subfolder,
        archive=archive,
        entry_point=asked.entry_point,
        params=asked.params,
        docker_args=asked.docker_args,
        env_vars={**project.env_vars, **asked.env_vars},
        secrets=project.secrets if asked.secrets is None else asked.secrets,
        limits=project.limits | asked.limits.to_json(),
        gpus=asked.gpus,
        queue=asked.queue or project.queue,
        priority=asked.priority,
        retries=asked.retries,
        retries_failures=asked.retries_failures,
        backoff_s=asked.backoff_s,
        state=RunState.QUEUED,
        queued_ms=now_ms(),
    )


def _check(run: ProjectRun) -> None:
    document = _document_of(run)
    if document is not None:
        entry = entry_of(document, run.entry_point)
        command_for(entry, run.params)
        run.entry_point = entry.name


def _document_of(run: ProjectRun) -> Mapping[str, object] | None:
    """What the project's file says, where it is sure to be the file that will be run: a branch moves on meanwhile."""
    project = run.project
    if project is None or project.document is None:
        return None
    if run.archive is not None:
        is_same = run.archive.pk == project.archive_id
    else:
        is_same = bool(_COMMIT.fullmatch(run.source_version)) and run.source_version == project.read_commit
    return project.document if is_same else None


def _stored(actor: Actor, run: ProjectRun, name: str, tags: Mapping[str, str]) -> ProjectRun:
    admit(actor, run)
    require_place(run)
    run.run = _tracking_run(actor, run, name, tags)
    store_run(actor, run)
    return run


def _tracking_run(actor: Actor, run: ProjectRun, name: str, given: Mapping[str, str]) -> Run:
    """The run that its values are logged into: scheduled, with the tags of the protocol's own tools, and the params."""
    assert run.experiment is not None  # noqa: S101
    tags = {
        **given,
        "mlflow.user": actor.username,
        "mlflow.source.name": _source_name(run),
        "mlflow.source.type": "PROJECT",
        "mlflow.project.entryPoint": run.entry_point or _USUAL_NAME,
        "mlflow.project.backend": "slipway",
        **({"mlflow.parentRunId": run.parent.run.run_id} if run.parent and run.parent.run else {}),
    }
    made = experiments.create_run(
        actor,
        experiment=run.experiment,
        name=name,
        user_name=actor.username,
        start_ms=run.queued_ms,
        tags=tags.items(),
        status=RunStatus.SCHEDULED,
    )
    if run.params:
        experiments.log_batch(actor, run_id=made.run_id, params=list(run.params.items()))
    return made


def _source_name(run: ProjectRun) -> str:
    if run.source_kind == SourceKind.ARCHIVE:
        return run.project_name
    return run.source_uri + (f"#{run.subfolder}" if run.subfolder else "")
