from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from apps.accounts.models import Grant, ObjectKind
from apps.core.actor import Actor, Level, Role

if TYPE_CHECKING:
    from apps.notifications.models import Delivery, Notification, Subscription, Webhook


class NotificationQuerySet(models.QuerySet["Notification"]):
    def visible_to(self, actor: Actor) -> NotificationQuerySet:
        """One's own, about what one may still read; nobody reads another's inbox."""
        own = self.filter(user_id=actor.user_id or 0)
        if actor.is_admin:
            return own
        teams = list(actor.roles)
        holder = Q(user_id=actor.user_id) | Q(team_id__in=teams)
        granted = Grant.objects.filter(holder, kind=OuterRef("kind"), object_id=OuterRef("object_id"))
        return own.filter(Q(team_id__in=teams) | Exists(granted))

    def unread(self) -> NotificationQuerySet:
        """Neither read nor decided meanwhile."""
        return self.filter(read_at__isnull=True, done_at__isnull=True)

    def open_in_group(self, group: str) -> NotificationQuerySet:
        """What still asks for the same thing."""
        return self.filter(group=group, done_at__isnull=True)


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def visible_to(self, actor: Actor) -> SubscriptionQuerySet:
        """One's own."""
        return self.filter(user_id=actor.user_id or 0)


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def visible_to(self, actor: Actor, made: Collection[tuple[str, int]] = ()) -> WebhookQuerySet:
        """Those the actor manages: of teams one administers, of objects one manages; all of them for administrators.

        `made` are kinds and ids of objects that the actor made and may edit, and so manages: `selectors.webhooks_of`.
        """
        if actor.is_admin:
            return self
        administers = [team for team, role in actor.roles.items() if role is Role.ADMIN]
        manages = [team for team, role in actor.roles.items() if role.level >= Level.MANAGE]
        of_object = Q(team_id__in=manages)
        for kind in ObjectKind:
            granted = Grant.objects.held_by(actor, kind).filter(level__gte=Level.MANAGE).values("object_id")
            own = [pk for made_kind, pk in made if made_kind == kind]
            of_object |= Q(kind=kind) & (Q(object_id__in=granted) | Q(object_id__in=own))
        return self.filter(Q(team_id__in=administers, object_id__isnull=True) | Q(object_id__isnull=False) & of_object)

    def reached_by(self, kind: ObjectKind, object_id: int, team_id: int) -> WebhookQuerySet:
        """Active ones of an object, of its team and of the site."""
        of_object = Q(kind=kind, object_id=object_id)
        wide = Q(object_id__isnull=True) & (Q(team_id=team_id) | Q(team_id__isnull=True))
        return self.filter(of_object | wide, status="ACTIVE")


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self) -> DeliveryQuerySet:
        """Pending, its time come, and in nobody's hands."""
        now = timezone.now()
        free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
        return self.filter(free, state="pending", next_at__lte=now)
