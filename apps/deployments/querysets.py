from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

from apps.accounts.access import listed, readable
from apps.accounts.models import ObjectKind
from apps.core.actor import Actor

if TYPE_CHECKING:
    from apps.deployments.models import Deployment, Instance, Revision

_KIND = ObjectKind.DEPLOYMENT


class DeploymentQuerySet(models.QuerySet["Deployment"]):
    def visible_to(self, actor: Actor) -> Self:
        """What the actor may read, in all teams."""
        return self.filter(readable(actor, _KIND))

    def listed_for(self, actor: Actor) -> Self:
        """What lists show: the team the request speaks for, and what was granted."""
        return self.filter(listed(actor, _KIND))


class RevisionQuerySet(models.QuerySet["Revision"]):
    def visible_to(self, actor: Actor) -> Self:
        """Of deployments that the actor may read."""
        return self.filter(readable(actor, _KIND, "deployment__"))

    def routed(self) -> Self:
        """Those that get traffic now."""
        return self.filter(routes__weight__gt=0)


class InstanceQuerySet(models.QuerySet["Instance"]):
    def visible_to(self, actor: Actor) -> Self:
        """Of deployments that the actor may read."""
        return self.filter(readable(actor, _KIND, "revision__deployment__"))

    def alive(self) -> Self:
        """Not ended."""
        return self.filter(ended_ms__isnull=True)
