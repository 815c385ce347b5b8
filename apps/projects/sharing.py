"""How projects are shared: what `apps.accounts` asks of this app."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from apps.accounts.kinds import Kind, Target, register_kind
from apps.accounts.models import ObjectKind
from apps.core.actor import Actor, Level
from apps.projects import access
from apps.projects.actions.forgetting import forget_remains
from apps.projects.addresses import project_url
from apps.projects.models import Project


def register() -> None:
    """Let projects be shared."""
    register_kind(ObjectKind.PROJECT, Kind(_find, _level_of, _by_ids, empty_team=forget_remains))


def _find(actor: Actor, reference: str, level: Level) -> Target:
    return _target(access.get_project_by_key(actor, reference, level))


def _level_of(actor: Actor, target: Target) -> Level:
    project = Project(pk=target.object_id, team_id=target.team_id, owner_id=target.owner_id)
    return access.level_of_project(actor, project)


def _by_ids(ids: Iterable[int]) -> Mapping[int, Target]:
    found = Project.objects.select_related("team").filter(pk__in=list(ids))
    return {project.pk: _target(project) for project in found}


def _target(project: Project) -> Target:
    return Target(
        kind=ObjectKind.PROJECT,
        object_id=project.pk,
        reference=str(project.pk),
        name=project.name,
        team_id=project.team_id,
        team_name=project.team.name,
        url=project_url(project),
        owner_id=project.owner_id,
    )
