"""Fetching is authorising. A webhook is seen and touched by those who manage what it is about, and by nobody else.

That is: who manages the object, who administers the team, and for the site its administrators. Members of the team know
that it may be there (403), others don't (404).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from apps.accounts.access import get_team, require_admin
from apps.accounts.kinds import Target, kind_of
from apps.accounts.models import ObjectKind, Team
from apps.core.actor import Actor, Level, Role
from apps.core.errors import NotFound, PermissionDenied
from apps.notifications.models import Delivery, Notification, Subscription, Webhook


@dataclass(frozen=True, slots=True)
class Place:
    """What a webhook is about: an object, all of a team, or (without either) all of the site."""

    team_id: int | None = None
    team_name: str = ""
    target: Target | None = None


def place_of_object(actor: Actor, kind: ObjectKind, reference: str) -> Place:
    """An object that the actor manages, by what the protocol calls it."""
    target = kind_of(kind).find(actor, reference, Level.MANAGE)
    return Place(target.team_id, target.team_name, target)


def place_of_team(actor: Actor, name: str) -> Place:
    """A team that the actor administers."""
    team = get_team(actor, name, Role.ADMIN)
    return Place(team.pk, team.name)


def place_of_own_team(actor: Actor) -> Place:
    """The team that the request speaks for, if the actor administers it."""
    if actor.team_id is None or actor.role_in(actor.team_id) is not Role.ADMIN:
        raise PermissionDenied("Permission denied: webhooks of a team are for its administrators.")
    name = Team.objects.filter(pk=actor.team_id).values_list("name", flat=True).first() or ""
    return Place(actor.team_id, name)


def place_of_site(actor: Actor) -> Place:
    """The whole site, for its administrators."""
    require_admin(actor)
    return Place()


def get_notification(actor: Actor, pk: int) -> Notification:
    """A line of one's own inbox."""
    found = Notification.objects.visible_to(actor).filter(pk=pk).first()
    if found is None:
        raise NotFound(f"Notification {pk} not found.")
    return found


def get_subscription(actor: Actor, pk: int) -> Subscription:
    """What one chose oneself, also about an object that one may not read any more."""
    found = Subscription.objects.visible_to(actor).filter(pk=pk).first()
    if found is None:
        raise NotFound(f"Subscription {pk} not found.")
    return found


def get_webhook(actor: Actor, uid: str, *, dialect: str = "") -> Webhook:
    """A webhook by its id, a UUID in either form, for those who manage it; with `dialect` only one that speaks it."""
    missing = f"Webhook with ID {uid[:64]} not found."
    parsed = _uuid(uid)
    found = Webhook.objects.select_related("team", "owner").filter(uid=parsed).first() if parsed else None
    if found is None or (dialect and found.dialect != dialect):
        raise NotFound(missing)
    _require_manager(actor, found, missing)
    return found


def get_delivery(actor: Actor, pk: int) -> Delivery:
    """A delivery of a webhook that the actor manages."""
    missing = f"Delivery {pk} not found."
    found = Delivery.objects.select_related("webhook__team", "webhook__owner").filter(pk=pk).first()
    if found is None:
        raise NotFound(missing)
    _require_manager(actor, found.webhook, missing)
    return found


def _require_manager(actor: Actor, hook: Webhook, missing: str) -> None:
    if actor.is_admin or (_manages_object(actor, hook) if hook.object_id else _administers(actor, hook)):
        return
    if hook.team_id is None or actor.role_in(hook.team_id) is None:
        raise NotFound(missing)
    raise PermissionDenied("Permission denied: this webhook is for those who manage what it is about.")


def _administers(actor: Actor, hook: Webhook) -> bool:
    return hook.team_id is not None and actor.role_in(hook.team_id) is Role.ADMIN


def _manages_object(actor: Actor, hook: Webhook) -> bool:
    """Of an object its app has the last word."""
    answers = kind_of(ObjectKind(hook.kind))
    target = answers.by_ids([hook.object_id or 0]).get(hook.object_id or 0)
    return target is not None and answers.level_of(actor, target) >= Level.MANAGE


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if len(text) in (32, 36) else None
    except ValueError:
        return None
