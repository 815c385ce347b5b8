"""Projects as jobs of webhooks: what `apps.notifications` asks of this app."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q

from apps.accounts.models import Grant, ObjectKind, User
from apps.core.actor import Actor, Level, Scope
from apps.core.errors import InvalidInput, NotFound, PermissionDenied
from apps.notifications.jobs import Happened, Job, register_job_starter
from apps.projects import access
from apps.projects.actions.unattended import owner_of, start_unattended
from apps.projects.addresses import project_url, run_url
from apps.projects.asking.checking import entry_of
from apps.projects.asking.submission import Submission
from apps.projects.models import Project, Trigger

MAX_ENTRY_POINT = 250
_MOST_OFFERED = 500


def register() -> None:
    """Let webhooks start runs of projects."""
    register_job_starter(ProjectStarter())


class ProjectStarter:
    """A job's key is the project's number."""

    def find(self, actor: Actor, reference: str, entry_point: str) -> Job:
        """A project that the actor may start runs of, with an entry point that it has, as far as is known."""
        if not actor.may_use(Scope.PROJECTS, reads=False):
            raise PermissionDenied("Permission denied: the scope of this token does not reach projects.")
        team, slash, name = reference.partition("/")
        if slash:
            project = access.get_project(actor, team, name, Level.EDIT)
        else:
            project = access.get_project_by_key(actor, reference, Level.EDIT)
        if len(entry_point) > MAX_ENTRY_POINT or "\x00" in entry_point:
            raise InvalidInput("That can't be the name of an entry point.")
        if project.document is not None and entry_point:
            entry_of(project.document, entry_point)
        return _job(project)

    def start(self, owner: User | None, key: str, entry_point: str, happened: Happened, uid: UUID) -> dict[str, Any]:
        """Queue a run with what happened as parameters, once for each `uid`."""
        project = _projects([key]).first()
        if project is None:
            raise NotFound("The project that this webhook starts is gone.")
        run = start_unattended(
            owner_of(owner, project),
            project=project,
            submission=Submission(entry_point=entry_point, params=_params(project, entry_point, happened)),
            trigger=Trigger.WEBHOOK,
            note=f"{happened.word} of {happened.model} {happened.version}".rstrip(),
            key=f"hook-{uid}",
        )
        return {"run_id": run.pk, "url": run_url(run)}

    def named(self, keys: Collection[str]) -> Mapping[str, Job]:
        """By key."""
        return {job.key: job for job in map(_job, _projects(keys))}

    def offered(self, actor: Actor) -> list[Job]:
        """Those of the actor's lists that they may start; grants may let them start others, by number."""
        found = Project.objects.listed_for(actor).select_related("team").defer("document")
        if not actor.is_admin:
            teams = [team for team, role in actor.roles.items() if role.level >= Level.EDIT]
            granted = Grant.objects.held_by(actor, ObjectKind.PROJECT).filter(level__gte=Level.EDIT)
            found = found.filter(Q(team_id__in=teams) | Q(pk__in=granted.values("object_id")))
        return [_job(project) for project in found.order_by("team__name", "name")[:_MOST_OFFERED]]


def _params(project: Project, entry_point: str, happened: Happened) -> dict[str, str]:
    """`event` always; what it is about where the entry point declares it."""
    declared = entry_of(project.document, entry_point).parameters if project.document else {}
    about = {"model": happened.model, "version": happened.version, "stage": happened.stage}
    return {"event": happened.text, **{name: value for name, value in about.items() if name in declared and value}}


def _projects(keys: Collection[str]) -> Any:
    numbers = [int(key) for key in keys if key.isdecimal()]
    return Project.objects.filter(pk__in=numbers).select_related("team", "archive", "experiment")


def _job(project: Project) -> Job:
    return Job(str(project.pk), f"{project.team.name}/{project.name}", project_url(project))
