from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.accounts.kinds import Target
from apps.accounts.models import ObjectKind
from apps.core.actor import Actor
from apps.core.errors import PermissionDenied
from apps.notifications import live
from apps.notifications.models import (
    Choice,
    MailPreference,
    MailTiming,
    Notification,
    Subscription,
    TopicPreference,
    Webhook,
)


def read_notifications(actor: Actor, *, ids: Collection[int] | None = None, up_to: int | None = None) -> int:
    """Mark lines of one's inbox as read: `ids`, or those up to a line, or all; how many. Twice changes nothing."""
    with transaction.atomic():
        found = Notification.objects.visible_to(actor).filter(read_at__isnull=True)
        if ids is not None:
            found = found.filter(pk__in=ids)
        if up_to is not None:
            found = found.filter(pk__lte=up_to)
        count = found.update(read_at=timezone.now())
        if count:
            transaction.on_commit(lambda: live.touch({_user(actor)}), robust=True)
    return count


def subscribe(actor: Actor, *, target: Target, choice: Choice) -> None:
    """Choose how much to hear of an object; `target` was fetched with the right to read it."""
    key: dict[str, Any] = {"user_id": _user(actor), "kind": target.kind, "object_id": target.object_id}
    with transaction.atomic():
        if choice == Choice.DEFAULT:
            Subscription.objects.filter(**key).delete()
        else:
            Subscription.objects.update_or_create(**key, defaults={"choice": choice})


def end_subscription(actor: Actor, *, subscription: Subscription) -> None:
    """Hear of its object again as of any other; one's own, also about what one may not read any more."""
    Subscription.objects.filter(pk=subscription.pk).delete()


def set_preferences(
    actor: Actor, *, mail: MailTiming | None = None, topics: dict[str, Choice | None] | None = None
) -> None:
    """Choose when to get mail, and how much to hear of topics; None for a topic goes back to its own default."""
    user_id = _user(actor)
    with transaction.atomic():
        if mail is not None:
            _set_mail(user_id, mail)
        if topics:
            TopicPreference.objects.filter(user_id=user_id, topic__in=topics).delete()
            TopicPreference.objects.bulk_create(
                TopicPreference(user_id=user_id, topic=topic, choice=choice)
                for topic, choice in topics.items()
                if choice is not None
            )


def forget_object(actor: Actor, *, kind: ObjectKind, object_id: int) -> None:
    """Remove what hangs on an object that is deleted, in the caller's transaction. Inbox lines stay, as history."""
    Subscription.objects.filter(kind=kind, object_id=object_id).delete()
    Webhook.objects.filter(kind=kind, object_id=object_id).delete()


def _set_mail(user_id: int, timing: MailTiming) -> None:
    """A first day begins with the choice: what happened before was mailed, or wasn't wanted."""
    changed = MailPreference.objects.filter(user_id=user_id).exclude(timing=timing)
    if not changed.update(timing=timing, digest_at=timezone.now()):
        MailPreference.objects.get_or_create(user_id=user_id, defaults={"timing": timing})


def _user(actor: Actor) -> int:
    if actor.user_id is None:
        raise PermissionDenied("Permission denied: only people have an inbox.")
    return actor.user_id
