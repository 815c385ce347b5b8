from __future__ import annotations

from django.db import IntegrityError, transaction
from django_celery_beat.models import CrontabSchedule

from apps.accounts.access import require_team
from apps.accounts.models import Grant, ObjectKind, Team
from apps.audit.actions import record
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Conflict, InvalidInput, NotFound
from apps.notifications.actions import forget_object
from apps.projects import access, events
from apps.projects.actions.common import now_ms, subject_of_project
from apps.projects.actions.reading import mark_unread, read_at_once
from apps.projects.actions.secrets import require_naming
from apps.projects.asking.changes import Defaults, Source, check_defaults, check_source, defaults_of, source_of
from apps.projects.asking.names import MAX_DESCRIPTION, check_project_name
from apps.projects.models import Project, ProjectRun


def create_project(actor: Actor, *, name: str, source: Source, description: str = "") -> Project:
    """A new project in the team that the request speaks for; it is read at once, or soon by a worker.

    Raises `AlreadyExists`, and `InvalidInput` for what can't be a name or source.
    """
    check_project_name(name)
    _check_description(description)
    team_id = require_team(actor)
    check_source(source, team_id)
    try:
        with transaction.atomic():
            project = _make(actor, team_id, name, source, description)
            record(actor, events.PROJECT_CREATED, subject_of_project(project), after=source.to_json())
            mark_unread(project)
    except IntegrityError as error:
        raise _taken(name) from error
    return read_at_once(actor, project)


def describe_project(actor: Actor, *, project: Project, name: str, description: str) -> Project:
    """Another name and description. Raises `AlreadyExists`."""
    check_project_name(name)
    _check_description(description)
    before = {"name": project.name, "description": project.description[:1000]}
    try:
        with transaction.atomic():
            project.name, project.description, project.updated_ms = name, description, now_ms()
            project.save(update_fields=["name", "description", "updated_ms"])
            after = {"name": name, "description": description[:1000]}
            record(actor, events.PROJECT_CHANGED, subject_of_project(project), before=before, after=after)
    except IntegrityError as error:
        project.name = before["name"]
        raise _taken(name) from error
    return project


def change_source(actor: Actor, *, project: Project, source: Source) -> Project:
    """Other files; what was read of the last ones is forgotten. Runs that wait keep what they were queued with.

    Raises `PermissionDenied` for who may only start runs of it.
    """
    access.require_hands(actor, project)
    check_source(source, project.team_id)
    before = source_of(project).to_json()
    with transaction.atomic():
        _set_source(project, source)
        project.document, project.read_commit, project.updated_ms = None, "", now_ms()
        project.save(update_fields=[*_SOURCE, "document", "read_commit", "updated_ms"])
        record(actor, events.PROJECT_CHANGED, subject_of_project(project), before=before, after=source.to_json())
        mark_unread(project)
    return read_at_once(actor, project)


def set_defaults(actor: Actor, *, project: Project, defaults: Defaults) -> Project:
    """What runs begin with from now on.

    Raises `PermissionDenied` for who may only start runs of it, and for secrets that are not the actor's to use.
    """
    access.require_hands(actor, project)
    require_naming(actor, team=project.team, names={*defaults.secrets} - {*project.secrets})
    check_defaults(defaults, project)
    before = defaults_of(project).to_json()
    with transaction.atomic():
        project.experiment, project.queue = defaults.experiment, defaults.queue
        project.env_vars, project.secrets = dict(defaults.env_vars), list(defaults.secrets)
        project.limits, project.max_running = defaults.limits.to_json(), defaults.max_running
        project.updated_ms = now_ms()
        project.save(update_fields=[*_DEFAULTS, "updated_ms"])
        record(actor, events.PROJECT_CHANGED, subject_of_project(project), before=before, after=defaults.to_json())
    return project


_SOURCE = ("source_kind", "source_uri", "source_version", "subfolder", "archive")
_DEFAULTS = ("experiment", "queue", "env_vars", "secrets", "limits", "max_running")


def delete_project(actor: Actor, *, project: Project) -> None:
    """Remove a project with its schedules; its runs stay. Raises `Conflict` while one of them goes on or waits."""
    with transaction.atomic():
        # Whoever queues a run refers to this row, so waits for the lock.
        if not Project.objects.select_for_update().filter(pk=project.pk).exists():
            raise NotFound(f"No project {project.name!r}.")
        active = ProjectRun.objects.active().filter(project=project).count()
        if active:
            raise Conflict(f"{active} of its runs wait or go on: cancel them, or wait until they have ended.")
        record(actor, events.PROJECT_DELETED, subject_of_project(project), before=source_of(project).to_json())
        forget_object(actor, kind=ObjectKind.PROJECT, object_id=project.pk)
        Grant.objects.filter(kind=ObjectKind.PROJECT, object_id=project.pk).delete()
        # Each has a line of its own, with which its entry of the clock goes.
        CrontabSchedule.objects.filter(periodictask__in=project.schedules.values("beat_id")).delete()
        project.delete()


def _make(actor: Actor, team_id: int, name: str, source: Source, description: str) -> Project:
    now = now_ms()
    team = Team.objects.get(pk=team_id)
    project = Project(team=team, name=name, description=description, owner_id=actor.user_id)
    project.created_ms = project.updated_ms = now
    _set_source(project, source)
    project.save(force_insert=True)
    return project


def _set_source(project: Project, source: Source) -> None:
    project.source_kind, project.source_uri, project.source_version = source.kind, source.uri, source.version
    project.subfolder, project.archive = source.subfolder, source.archive


def _check_description(description: str) -> None:
    if len(description) > MAX_DESCRIPTION or "\x00" in description:
        raise InvalidInput(f"The description has up to {MAX_DESCRIPTION} characters.")


def _taken(name: str) -> AlreadyExists:
    return AlreadyExists(f"The team has a project named {name!r}.")
