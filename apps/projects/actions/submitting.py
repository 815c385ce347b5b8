"""Queueing a run: the row, its tracking run, the audit event and the wake-up."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from django.db import IntegrityError, transaction

from apps.audit.actions import record
from apps.core.actor import Actor
from apps.core.errors import Conflict, InvalidInput, NotSignedIn
from apps.experiments import actions as experiments
from apps.experiments.models import Experiment, Run, RunStatus
from apps.projects import events
from apps.projects.actions.admitting import admit
from apps.projects.actions.common import now_ms, subject_of_run
from apps.projects.models import Archive, Project, ProjectRun, Queue, Quota, RunState, SourceKind, Trigger
from apps.projects.submission import Submission
from apps.projects.waking import wake

_USUAL_NAME = "main"


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
    request_key: str = "",
    tags: Mapping[str, str] | None = None,
    **more: object,
) -> ProjectRun:
    """Queue a run of a project, of `archive` where one is given; asked again under the same key, the one that is there.

    `tags` go to its tracking run, below those that every run has. The caller fetched project and experiment with the
    right to edit them. Raises `InvalidInput`, `PermissionDenied` for secrets that are not the actor's to use, and
    `Conflict` where the team's quota is used up.
    """
    if actor.user_id is None:
        raise NotSignedIn
    run = _made(actor, submission.checked(), project, archive or project.archive)
    run.trigger, run.trigger_note, run.parent, run.repeats = trigger, trigger_note[:500], parent, repeats
    run.experiment, run.request_key = experiment, request_key or None
    for name, value in more.items():
        setattr(run, name, value)
    admit(actor, run)
    try:
        with transaction.atomic():
            return _stored(actor, run, experiment, submission.run_name, tags or {})
    except IntegrityError:
        found = _asked_before(actor, request_key)
        if found is None:
            raise
        return found


def _asked_before(actor: Actor, key: str) -> ProjectRun | None:
    found = ProjectRun.objects.filter(owner_id=actor.user_id, request_key=key) if key else ProjectRun.objects.none()
    if actor.confined is not None:
        found = found.visible_to(actor)
    return found.select_related("team", "project", "experiment", "run").first()


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


def _stored(actor: Actor, run: ProjectRun, experiment: Experiment, name: str, tags: Mapping[str, str]) -> ProjectRun:
    if not Queue.objects.filter(name=run.queue).exists():
        raise InvalidInput(f"There is no queue '{run.queue}'.")
    _require_room(run)
    run.run = _tracking_run(actor, run, experiment, name, tags)
    run.save(force_insert=True)
    after = {"entry_point": run.entry_point, "params": run.params, "queue": run.queue, "trigger": run.trigger}
    after |= {"secrets": run.secrets} if run.secrets else {}
    record(actor, events.RUN_QUEUED, subject_of_run(run), after=after)
    transaction.on_commit(partial(wake, run.queue))
    return run


def _require_room(run: ProjectRun) -> None:
    most = Quota.objects.filter(team_id=run.team_id).values_list("max_queued", flat=True).first()
    if most is not None and ProjectRun.objects.filter(team_id=run.team_id, state=RunState.QUEUED).count() >= most:
        raise Conflict(f"The team {run.team.name} may have {most} runs waiting, and has them.")


def _tracking_run(actor: Actor, run: ProjectRun, experiment: Experiment, name: str, given: Mapping[str, str]) -> Run:
    """The run that its values are logged into: scheduled, with the tags of the protocol's own tools, and the params."""
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
        experiment=experiment,
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
