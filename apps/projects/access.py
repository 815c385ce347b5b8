"""Fetching is authorising: each function returns the object if the actor has the level, else raises.

Who may edit a project may start runs of it, as members of its team may; whoever made it may manage it as long as they
may still edit it. A run is seen by who sees its project, and by who started it.
"""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, QuerySet

from apps.accounts.access import level_on, require, require_admin
from apps.accounts.confinement import as_maker
from apps.accounts.models import ObjectKind, Team
from apps.core.actor import Actor, Confinement, Level, Role
from apps.core.errors import NotFound, PermissionDenied
from apps.core.keys import parse_key
from apps.projects.models import Archive, Project, ProjectRun, Queue, Schedule, Secret, Worker

M = TypeVar("M", bound=Model)


def get_project(actor: Actor, team: str, name: str, level: Level = Level.READ) -> Project:
    """By team and name, as in the addresses of pages, with team."""
    missing = f"No project {name[:100]!r} in team {team[:63]!r}."
    found = _projects().filter(team__name=team, name=name) if "\x00" not in team + name else Project.objects.none()
    return _checked(actor, _first(found, missing), level, missing)


def get_project_by_key(actor: Actor, key: str | int, level: Level = Level.READ) -> Project:
    """By its number, with team."""
    missing = f"No project {str(key)[:20]}."
    return _checked(actor, _first(_projects().filter(pk=parse_key(str(key)) or 0), missing), level, missing)


def get_project_run(actor: Actor, key: str | int, level: Level = Level.READ) -> ProjectRun:
    """By its number, with team, project, experiment and tracking run."""
    missing = f"No project run {str(key)[:20]}."
    found = ProjectRun.objects.visible_to(actor).select_related(
        "team", "project", "experiment", "run__experiment", "worker"
    )
    run = _first(found.filter(pk=parse_key(str(key)) or 0), missing)
    if level > Level.READ:
        require(level_of_run(actor, run), level, missing=missing, doing=f"{level.word} this project run")
    return run


def get_archive(actor: Actor, key: str | int) -> Archive:
    """An uploaded archive of one of the actor's teams."""
    found = Archive.objects.visible_to(actor).select_related("team")
    return _first(found.filter(pk=parse_key(str(key)) or 0), "No such archive.")


def get_schedule(actor: Actor, key: str | int, level: Level = Level.READ) -> Schedule:
    """By its number, with project and team."""
    missing = f"No schedule {str(key)[:20]}."
    found = Schedule.objects.visible_to(actor).select_related("project__team", "owner")
    schedule = _first(found.filter(pk=parse_key(str(key)) or 0), missing)
    _checked(actor, schedule.project, level, missing)
    return schedule


def get_secret(actor: Actor, team: Team, name: str) -> Secret:
    """A secret's row, for who may change it: the maintainers of its team."""
    require_secrets(actor, team)
    return _first(Secret.objects.filter(team=team, name=name), f"No secret {name[:100]!r} in team {team.name}.")


def get_queue(actor: Actor, name: str) -> Queue:
    """Everybody may know the queues."""
    return _first(Queue.objects.filter(name=name), f"No queue {name[:63]!r}.")


def get_worker(actor: Actor, name: str) -> Worker:
    """A worker, for administrators of the site."""
    require_admin(actor)
    return _first(Worker.objects.filter(name=name), f"No worker {name[:200]!r}.")


def level_of_project(actor: Actor, project: Project) -> Level:
    """The level by role, grant or having made it."""
    return as_maker(actor, project.owner_id, level_on(actor, ObjectKind.PROJECT, project.pk, project.team_id))


def level_of_run(actor: Actor, run: ProjectRun) -> Level:
    """That on its project, or by role in its team; whoever started it may edit it, so cancel it.

    A project run reads itself, and may cancel those that it started.
    """
    if actor.confined is not None:
        return _level_within(actor.confined, run)
    by_role = actor.level_in(run.team_id)
    level = level_of_project(actor, run.project) if run.project is not None else by_role
    return max(level, Level.EDIT) if run.owner_id is not None and run.owner_id == actor.user_id else level


def require_hands(actor: Actor, project: Project) -> None:
    """Raise unless the actor may change what a project does in runs that others start.

    Those have their owners' rights and the team's secrets: members decide on it, and who manages the project. Who was
    granted it to edit starts runs, with rights of their own.
    """
    if actor.level_in(project.team_id) < Level.EDIT and level_of_project(actor, project) < Level.MANAGE:
        raise PermissionDenied(
            f"Permission denied: what runs of {project.name} begin with is changed by members of its team, and by who "
            "manages it."
        )


def require_secrets(actor: Actor, team: Team) -> None:
    """Secrets are set by maintainers and administrators of their team."""
    if actor.role_in(team.pk) not in (Role.MAINTAINER, Role.ADMIN):
        raise PermissionDenied(f"Permission denied: secrets of {team.name} are its maintainers'.")


def require_level(actor: Actor, project: Project, level: Level, missing: str = "") -> None:
    """Raise unless the actor holds the level on a project that was fetched."""
    if actor.level_in(project.team_id) >= level:
        return
    doing = f"{level.word} the project {project.name}"
    require(level_of_project(actor, project), level, missing=missing or f"No project {project.name!r}.", doing=doing)


def _level_within(confined: Confinement, run: ProjectRun) -> Level:
    if run.parent_id == confined.project_run_id:
        return Level.EDIT
    return Level.READ if run.pk == confined.project_run_id else Level.NONE


def _checked(actor: Actor, project: Project, level: Level, missing: str) -> Project:
    require_level(actor, project, level, missing)
    return project


def _projects() -> QuerySet[Project]:
    return Project.objects.select_related("team", "archive", "experiment")


def _first(found: QuerySet[M], missing: str) -> M:
    row = found.first()
    if row is None:
        raise NotFound(missing)
    return row
