from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import OuterRef, Q, Subquery

from apps.core.actor import Actor, Role

if TYPE_CHECKING:
    from apps.audit.models import Event


class EventQuerySet(models.QuerySet["Event"]):
    def visible_to(self, actor: Actor) -> EventQuerySet:
        """Everything for administrators; else what one did oneself, and the teams one maintains."""
        if actor.is_admin:
            return self
        maintained = [team for team, role in actor.roles.items() if role in (Role.MAINTAINER, Role.ADMIN)]
        return self.filter(Q(actor_id=actor.user_id) | Q(team_id__in=maintained))

    def with_sequence(self) -> EventQuerySet:
        """Each with `sequence`: its place in the chain, None while it is not sealed."""
        from apps.audit.models import Seal

        place = Seal.objects.filter(event_id=OuterRef("pk")).values("sequence")
        return self.annotate(sequence=Subquery(place))
