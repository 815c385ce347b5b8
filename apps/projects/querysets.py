from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from apps.accounts.access import listed, readable
from apps.accounts.confinement import owner_behind, owner_in_team
from apps.accounts.models import ObjectKind
from apps.core.actor import Actor, Role

if TYPE_CHECKING:
    from apps.projects.models import Archive, Project, ProjectRun, Schedule, Secret

_KIND = ObjectKind.PROJECT


class ProjectQuerySet(models.QuerySet["Project"]):
    def visible_to(self, actor: Actor) -> Self:
        """What the actor may read, in all teams."""
        return self.filter(readable(actor, _KIND))

    def listed_for(self, actor: Actor) -> Self:
        """What lists show: the team the request speaks for, and what was granted."""
        return self.filter(listed(actor, _KIND))


class ArchiveQuerySet(models.QuerySet["Archive"]):
    def visible_to(self, actor: Actor) -> Self:
        """Of the actor's teams; for a project run, of its own."""
        actor = owner_in_team(actor)
        return self if actor.is_admin else self.filter(team_id__in=list(actor.roles))


class ProjectRunQuerySet(models.QuerySet["ProjectRun"]):
    def visible_to(self, actor: Actor) -> Self:
        """Of projects that the actor may read; one's own; without a project, who is in their team.

        A project run sees itself and those that it started, as long as its owner could.
        """
        if actor.confined is not None:
            this = actor.confined.project_run_id
            itself = self.filter(Q(pk=this) | Q(parent_id=this))
            return itself.visible_to(owner_behind(actor, _KIND) or actor)
        if actor.is_admin:
            return self
        own = Q(owner_id=actor.user_id or 0)
        loose = Q(project__isnull=True, team_id__in=list(actor.roles))
        return self.filter(own | loose | Q(project__isnull=False) & readable(actor, _KIND, "project__"))

    def listed_for(self, actor: Actor) -> Self:
        """What lists show: the team the request speaks for, and of projects that were granted."""
        if actor.confined is not None:
            return self.visible_to(actor)
        loose = Q(project__isnull=True, team_id=actor.team_id or 0) if self._speaks(actor) else Q(pk__in=[])
        return self.filter(loose | Q(project__isnull=False) & listed(actor, _KIND, "project__"))

    @staticmethod
    def _speaks(actor: Actor) -> bool:
        return actor.team_id is not None and (actor.is_admin or actor.team_id in actor.roles)

    def active(self) -> Self:
        """Not ended."""
        return self.filter(state__in=("queued", "preparing", "running"))

    def held(self) -> Self:
        """Those that a worker has."""
        return self.filter(state__in=("preparing", "running"))


class ScheduleQuerySet(models.QuerySet["Schedule"]):
    def visible_to(self, actor: Actor) -> Self:
        """Of projects that the actor may read."""
        return self.filter(readable(actor, _KIND, "project__"))


class SecretQuerySet(models.QuerySet["Secret"]):
    def visible_to(self, actor: Actor) -> Self:
        """The names, for who may start runs in the team."""
        if actor.is_admin:
            return self
        return self.filter(team_id__in=[team for team, role in actor.roles.items() if role is not Role.VIEWER])
