"""What a call that starts a run names: its project, its experiment, its parent."""

from __future__ import annotations

from typing import Any

import msgspec
from django.db import transaction

from apps.core.actor import Actor, Level
from apps.core.errors import AlreadyExists, Conflict, InvalidInput, NotFound
from apps.experiments import access as experiments
from apps.experiments.actions import create_experiment
from apps.experiments.models import Experiment
from apps.projects import access, actions
from apps.projects.actions.unattended import experiment_for
from apps.projects.asking.changes import Source
from apps.projects.asking.repeating import submission_of
from apps.projects.asking.submission import Submission
from apps.projects.models import Archive, Project, ProjectRun, SourceKind
from apps.runtime.limits import Limits

MAX_KEY = 100
_PARENT = "mlflow.parentRunId"
# Under these names the server itself asks, for schedules and webhooks: who took one first would take its run.
_OURS = ("schedule-", "hook-")


@transaction.atomic
def start_asked(actor: Actor, given: dict[str, Any], key: str) -> ProjectRun:
    """Queue what a call asks for; `key` as `request_key_of` has it. A refusal leaves neither project nor experiment."""
    archive = access.get_archive(actor, given["archive"]) if "archive" in given else None
    project = _project(actor, given, archive)
    parent, tags = _parent(actor, given)
    return actions.submit_run(
        actor,
        submission=_submission(given),
        experiment=_experiment(actor, project, given),
        project=project,
        archive=archive,
        parent=parent,
        request_key=key,
        tags=tags,
    )


@transaction.atomic
def start_again(actor: Actor, run: ProjectRun, given: dict[str, Any], key: str) -> ProjectRun:
    """Queue a run once more with what is asked otherwise. Raises `Conflict` where its files are gone."""
    if run.project is None:
        raise Conflict("The project of this run is gone: start it from another.")
    project = access.get_project_by_key(actor, run.project_id or 0, Level.EDIT)
    if run.source_kind == SourceKind.ARCHIVE and run.archive is None:
        raise Conflict("The files that this run had are not kept any more.")
    asked = msgspec.structs.replace(submission_of(run), **_fields(given))
    named = given if given.keys() & {"experiment_id", "experiment_name"} else _experiment_of(run)
    return actions.submit_run(
        actor,
        submission=asked,
        experiment=_experiment(actor, project, named),
        project=project,
        archive=run.archive,
        repeats=run,
        request_key=key,
    )


def request_key_of(header: str | None) -> str:
    """The caller's own name for what it asks, by which it may ask again. Raises `InvalidInput`."""
    key = header or ""
    if len(key) > MAX_KEY or not key.isprintable():
        raise InvalidInput(f"Idempotency-Key: up to {MAX_KEY} printable characters are wanted.")
    if key.startswith(_OURS):
        raise InvalidInput(f"Idempotency-Key: what begins with {' or '.join(_OURS)} is the server's own.")
    return key


def _submission(given: dict[str, Any]) -> Submission:
    return Submission(**_fields(given)).checked()


def _fields(given: dict[str, Any]) -> dict[str, Any]:
    asked = {name: given[name] for name in Submission.__struct_fields__ if name in given}
    return asked | ({"limits": Limits.from_json(asked["limits"])} if "limits" in asked else {})


def _project(actor: Actor, given: dict[str, Any], archive: Archive | None) -> Project:
    if actor.confined is not None:
        # A run starts others of its own project, whatever files they have; any other is not there for it.
        return access.get_project_by_key(actor, given.get("project") or actor.confined.project_id or 0, Level.EDIT)
    if "project" in given:
        return access.get_project_by_key(actor, given["project"], Level.EDIT)
    if archive is None:
        raise InvalidInput("Name a project or an archive.")
    return _named_by(actor, archive, given.get("project_name") or archive.name)


def _named_by(actor: Actor, archive: Archive, name: str) -> Project:
    try:
        return access.get_project(actor, archive.team.name, name, Level.EDIT)
    except NotFound:
        pass
    try:
        return actions.create_project(
            actor.speaking_for(archive.team_id), name=name, source=Source(SourceKind.ARCHIVE, archive=archive)
        )
    except AlreadyExists:  # somebody else made it meanwhile
        return access.get_project(actor, archive.team.name, name, Level.EDIT)


def _experiment(actor: Actor, project: Project, given: dict[str, Any]) -> Experiment:
    """By id or name, else where runs of the project go that name none; those of a run go where it logs itself."""
    if name := given.get("experiment_name"):
        try:
            found = experiments.get_experiment_by_name(actor, name)
        except NotFound:
            return create_experiment(actor, name=name)
        return experiments.get_experiment(actor, found.pk, Level.EDIT)
    chosen = given.get("experiment_id") or (actor.confined.experiment_id if actor.confined else None)
    return experiments.get_experiment(actor, chosen, Level.EDIT) if chosen else experiment_for(actor, project)


def _experiment_of(run: ProjectRun) -> dict[str, Any]:
    return {"experiment_id": str(run.experiment_id)} if run.experiment_id is not None else {}


def _parent(actor: Actor, given: dict[str, Any]) -> tuple[ProjectRun | None, dict[str, str]]:
    """The project run that starts it, where it is one, and the tags that say so."""
    tags = dict(given.get("tags", {}))
    tags.pop(_PARENT, None)
    if "parent_run_id" not in given:
        return None, tags
    parent = experiments.get_run(actor, given["parent_run_id"], Level.EDIT)
    return ProjectRun.objects.filter(run=parent).first(), tags | {_PARENT: parent.run_id}
