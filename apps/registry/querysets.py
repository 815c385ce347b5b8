from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from apps.accounts.access import listed, readable
from apps.accounts.models import ObjectKind
from apps.core.actor import Actor, Role

if TYPE_CHECKING:
    from apps.registry.models import (
        ApproverGroup,
        Comment,
        ModelVersion,
        Override,
        Placement,
        Policy,
        PromotionRequest,
        RegisteredModel,
    )

_KIND = ObjectKind.REGISTERED_MODEL


class RegisteredModelQuerySet(models.QuerySet["RegisteredModel"]):
    def visible_to(self, actor: Actor) -> Self:
        """What the actor may read, in all teams."""
        return self.filter(readable(actor, _KIND))

    def listed_for(self, actor: Actor) -> Self:
        """What lists show: the team the request speaks for, and what was granted."""
        return self.filter(listed(actor, _KIND))


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    def visible_to(self, actor: Actor) -> Self:
        """Versions of the models that the actor may read."""
        return self.filter(readable(actor, _KIND, "model__"))

    def listed_for(self, actor: Actor) -> Self:
        """What lists show: the team the request speaks for, and what was granted."""
        return self.filter(listed(actor, _KIND, "model__"))


class PromotionRequestQuerySet(models.QuerySet["PromotionRequest"]):
    def visible_to(self, actor: Actor) -> Self:
        """Requests about models that the actor may read."""
        return self.filter(readable(actor, _KIND, "version__model__"))

    def open(self) -> Self:
        """Not ended."""
        return self.filter(state="open")


class PlacementQuerySet(models.QuerySet["Placement"]):
    def visible_to(self, actor: Actor) -> Self:
        """Of models that the actor may read; of models that are gone, for who is in their team."""
        if actor.is_admin:
            return self
        gone = Q(model__isnull=True, team_id__in=list(actor.roles))
        return self.filter(gone | Q(model__isnull=False) & readable(actor, _KIND, "model__"))

    def at(self, moment_ms: int, until_ms: int | None = None) -> Self:
        """What was in place at a moment; with `until_ms` at any moment between the two."""
        still = Q(until_ms__isnull=True) | Q(until_ms__gt=moment_ms)
        return self.filter(still, from_ms__lte=moment_ms if until_ms is None else until_ms)

    def current(self) -> Self:
        """What is in place."""
        return self.filter(until_ms__isnull=True)


class CommentQuerySet(models.QuerySet["Comment"]):
    def visible_to(self, actor: Actor) -> Self:
        """On versions that the actor may read."""
        return self.filter(readable(actor, _KIND, "version__model__"))


class PolicyQuerySet(models.QuerySet["Policy"]):
    def visible_to(self, actor: Actor) -> Self:
        """The site's, those of the actor's teams and of models that the actor may read."""
        if actor.is_admin:
            return self
        site = Q(team__isnull=True, model__isnull=True)
        of_models = Q(model__isnull=False) & readable(actor, _KIND, "model__")
        return self.filter(site | Q(team_id__in=list(actor.roles)) | of_models)


class ApproverGroupQuerySet(models.QuerySet["ApproverGroup"]):
    def visible_to(self, actor: Actor) -> Self:
        """The site's by name, and those of the actor's teams."""
        if actor.is_admin:
            return self
        return self.filter(Q(team__isnull=True) | Q(team_id__in=list(actor.roles)))


class OverrideQuerySet(models.QuerySet["Override"]):
    def visible_to(self, actor: Actor) -> Self:
        """For those who look at them afterwards: administrators of the site, and of the model's team."""
        if actor.is_admin:
            return self
        return self.filter(team_id__in=[team for team, role in actor.roles.items() if role is Role.ADMIN])

    def reviewed(self, is_reviewed: bool = True) -> Self:
        """Those that somebody looked at, or those that nobody did yet."""
        return self.filter(reviewed_ms__isnull=not is_reviewed)
