from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import UserManager as DjangoUserManager
from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.core.actor import Actor, Role

if TYPE_CHECKING:
    from apps.accounts.models import Grant, ObjectKind, Team, Token, User


class UserQuerySet(models.QuerySet["User"]):
    def visible_to(self, actor: Actor) -> UserQuerySet:
        """People of the teams the actor is in, and the actor; everybody for administrators."""
        if actor.is_admin:
            return self
        return self.filter(Q(pk=actor.user_id) | Q(memberships__team_id__in=list(actor.roles))).distinct()


class UserManager(DjangoUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Django's manager (it makes users with hashed passwords) with our verbs."""


class TeamQuerySet(models.QuerySet["Team"]):
    def visible_to(self, actor: Actor) -> TeamQuerySet:
        """Teams the actor is a member of; all of them for administrators."""
        return self if actor.is_admin else self.filter(pk__in=list(actor.roles))


class GrantQuerySet(models.QuerySet["Grant"]):
    def held_by(self, actor: Actor, kind: ObjectKind) -> GrantQuerySet:
        """Grants on objects of `kind` that reach the actor: the person's own and those of the person's teams."""
        return self.filter(Q(user_id=actor.user_id) | Q(team_id__in=list(actor.roles)), kind=kind)


class TokenQuerySet(models.QuerySet["Token"]):
    def visible_to(self, actor: Actor) -> TokenQuerySet:
        """One's own, and those of service accounts of teams one administers; all of them for administrators.

        Not those of project runs, which nobody made and nobody holds.
        """
        people = self.filter(project_run_id__isnull=True)
        if actor.is_admin:
            return people
        administered = [team for team, role in actor.roles.items() if role is Role.ADMIN]
        services = Q(user__is_service=True, user__home_team_id__in=administered)
        return people.filter(Q(user_id=actor.user_id or 0) | services)

    def live(self) -> TokenQuerySet:
        """Neither revoked nor expired."""
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now()), revoked_at__isnull=True)
