from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from apps.accounts.kinds import Target, known_kinds
from apps.accounts.models import Grant, ObjectKind
from apps.core.actor import Actor, Level
from apps.notifications.models import (
    Choice,
    MailPreference,
    MailTiming,
    Notification,
    Subscription,
    TopicPreference,
    Webhook,
)
from apps.notifications.querysets import WebhookQuerySet
from apps.notifications.topics import known_topics


@dataclass(frozen=True, slots=True)
class Preferences:
    """When somebody gets mail, and how much of each topic; None is the topic's own default."""

    mail: MailTiming
    topics: dict[str, Choice | None]


def unread_count(actor: Actor) -> int:
    """The number of the bell."""
    return Notification.objects.visible_to(actor).unread().count()


def preferences_of(actor: Actor) -> Preferences:
    """What somebody chose, for every topic there is. Two statements."""
    user_id = actor.user_id or 0
    timing = MailPreference.objects.filter(user_id=user_id).values_list("timing", flat=True).first()
    chosen = dict(TopicPreference.objects.filter(user_id=user_id).values_list("topic", "choice"))
    topics = {code: Choice(chosen[code]) if code in chosen else None for code in sorted(known_topics())}
    return Preferences(MailTiming(timing or MailTiming.AT_ONCE), topics)


def choice_of(actor: Actor, target: Target) -> Choice:
    """How much somebody wants to hear of an object."""
    found = Subscription.objects.visible_to(actor).filter(kind=target.kind, object_id=target.object_id)
    return Choice(found.values_list("choice", flat=True).first() or Choice.DEFAULT)


def webhooks_of(actor: Actor) -> WebhookQuerySet:
    """The webhooks that the actor manages. Two statements besides its own where the actor only edits in some team."""
    edits = [team for team, role in actor.roles.items() if Level.EDIT <= role.level < Level.MANAGE]
    if actor.is_admin or not edits:
        return Webhook.objects.visible_to(actor)
    about = Webhook.objects.filter(team_id__in=edits, object_id__isnull=False).order_by()
    there = targets_of(about)
    return Webhook.objects.visible_to(actor, [key for key, target in there.items() if target.owner_id == actor.user_id])


def targets_of(rows: Iterable[Webhook | Subscription]) -> dict[tuple[str, int], Target]:
    """What webhooks or subscriptions are about, by kind and id; what is gone is left out. A statement for each kind."""
    wanted: dict[str, set[int]] = {}
    for row in rows:
        if row.object_id is not None:
            wanted.setdefault(row.kind, set()).add(row.object_id)
    found: dict[tuple[str, int], Target] = {}
    for kind, answers in known_kinds().items():
        if ids := wanted.get(kind):
            found |= {(kind.value, pk): target for pk, target in answers.by_ids(ids).items()}
    return found


def readable_targets(actor: Actor, rows: Iterable[Webhook | Subscription]) -> dict[tuple[str, int], Target]:
    """The same without what the actor may not read any more. Two statements for each kind."""
    found = targets_of(rows)
    by_role = {key for key, target in found.items() if actor.level_in(target.team_id) >= Level.READ}
    others = [key for key in found if key not in by_role]
    granted: set[tuple[str, int]] = set()
    for kind in {kind for kind, _ in others}:
        held = Grant.objects.held_by(actor, ObjectKind(kind)).filter(level__gte=Level.READ)
        ids = held.filter(object_id__in=[pk for _, pk in others]).values_list("object_id", flat=True)
        granted |= {(kind, pk) for pk in ids}
    return {key: target for key, target in found.items() if key in by_role | granted}
