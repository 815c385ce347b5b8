from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from apps.accounts.access import users_with
from apps.accounts.models import User
from apps.core.actor import Actor, Level
from apps.notifications import live, mailbox, outbox
from apps.notifications.dialects import Telling, dialect_of, dump
from apps.notifications.happenings import Happening
from apps.notifications.mailing import mail_about
from apps.notifications.models import (
    Choice,
    Delivery,
    MailOut,
    MailTiming,
    Notification,
    Subscription,
    TopicPreference,
    Webhook,
)
from apps.notifications.rights import firing


def publish(
    actor: Actor, *, happening: Happening, to: Collection[int] = (), mentioned: Collection[int] = ()
) -> set[int]:
    """Tell what happened, in the caller's transaction: inboxes, mail and webhooks. Returns whose inbox it reached.

    `to` are the people whom it concerns; they, who is `mentioned` and who subscribed hear of it if they may read the
    object now, the actor never. Nothing is sent before commit. A constant number of statements, three where nobody
    listens. Raises `RuntimeError` outside of a transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"{happening.topic} published outside of a transaction")
    closed = _close(happening.group) if happening.closes_group and happening.group else set()
    told = _listeners(actor, happening, set(to), set(mentioned))
    _write_inbox(actor, happening, told, set(mentioned))
    mails = _write_mails(happening, told)
    deliveries = _write_deliveries(actor, happening) if happening.event else 0
    if told or closed:
        transaction.on_commit(lambda: live.touch(told | closed), robust=True)
    if deliveries:
        transaction.on_commit(outbox.kick, robust=True)
    if mails:
        transaction.on_commit(mailbox.kick, robust=True)
    return told


def _close(group: str) -> set[int]:
    """Mark what asked for the same thing as done; whose inbox changed."""
    found = Notification.objects.open_in_group(group)
    users = set(found.order_by().values_list("user_id", flat=True))
    if users:
        found.update(done_at=timezone.now())
    return users


def _listeners(actor: Actor, happening: Happening, to: set[int], mentioned: set[int]) -> set[int]:
    asked = Q(choice=Choice.ALL) | Q(user_id__in=to)
    of_object = Subscription.objects.filter(asked, kind=happening.kind, object_id=happening.object_id).order_by()
    of_topic = TopicPreference.objects.filter(asked, topic=happening.topic.code)
    objects = dict(of_object.values_list("user_id", "choice"))
    topics = dict(of_topic.values_list("user_id", "choice"))
    wanting = {
        user
        for user in to | set(objects) | set(topics)
        if _wants(objects.get(user), topics.get(user), happening.topic.default, concerned=user in to)
    }
    people = (wanting | mentioned) - {actor.user_id or 0}
    return users_with(people, happening.kind, happening.object_id, happening.team_id, Level.READ)


def _wants(of_object: str | None, of_topic: str | None, default: bool, *, concerned: bool) -> bool:
    """ "Nothing" wins over "everything", and either over what concerns somebody."""
    choices = {of_object, of_topic}
    if Choice.NONE in choices:
        return False
    if Choice.ALL in choices:
        return True
    return concerned and (default or of_topic == Choice.DEFAULT)


def _write_inbox(actor: Actor, happening: Happening, told: Iterable[int], mentioned: set[int]) -> None:
    Notification.objects.bulk_create(
        Notification(
            user_id=user,
            team_id=happening.team_id,
            topic=happening.topic.code,
            kind=happening.kind,
            object_id=happening.object_id,
            object_name=happening.object_name[:512],
            actor_name=actor.username[:150],
            text=happening.text,
            url=happening.url[:1024],
            group="" if happening.closes_group else happening.group[:128],
            is_mention=user in mentioned,
        )
        for user in sorted(told)
    )


def _write_mails(happening: Happening, told: set[int]) -> int:
    if not told:
        return 0
    timely = Q(mail_preference__isnull=True) | Q(mail_preference__timing=MailTiming.AT_ONCE)
    people = list(
        User.objects.filter(timely, pk__in=told).exclude(email="").order_by("pk").values_list("pk", flat=True)
    )
    letter = asdict(mail_about(happening)) if people else {}
    return len(MailOut.objects.bulk_create(MailOut(user_id=pk, **letter) for pk in people))


def _write_deliveries(actor: Actor, happening: Happening) -> int:
    reached = Webhook.objects.reached_by(happening.kind, happening.object_id, happening.team_id)
    if actor.confined is not None and actor.confined.is_by_hook:
        reached = reached.filter(job="")
    asked = [(hook, word) for hook in reached if (word := _word_for(hook, happening))]
    if not asked:
        return 0
    allowed = firing([hook for hook, _ in asked])
    calls = [_delivery(actor, happening, hook, word) for hook, word in asked if hook.pk in allowed]
    return len(Delivery.objects.bulk_create(calls))


def _word_for(hook: Webhook, happening: Happening) -> str:
    """The word under which the hook asked for it; empty where it didn't."""
    words = dialect_of(hook.dialect).words_of(happening.event, happening.facts)
    return next((word for word in words if word in hook.events), "")


def _delivery(actor: Actor, happening: Happening, hook: Webhook, word: str) -> Delivery:
    telling = Telling(
        event=happening.event,
        facts=happening.facts,
        text=happening.text,
        link=settings.LINK_URL + happening.url if happening.url else "",
        team=happening.team_name,
        actor=actor.username,
        at=timezone.now(),
        webhook_uid=hook.uid,
    )
    payload = dump(dialect_of(hook.dialect).payload(word, telling))
    return Delivery(webhook=hook, event=word, payload=payload)
