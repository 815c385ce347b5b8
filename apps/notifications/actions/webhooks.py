from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from apps.audit.actions import Subject, record
from apps.core.actor import Actor
from apps.core.encryption import Resealed, reseal_rows, seal
from apps.core.errors import Conflict, InvalidInput, NotFound, TooManyRequests
from apps.core.outgoing import check_url
from apps.notifications import events, outbox
from apps.notifications.access import Place
from apps.notifications.dialects import Telling, dialect_of, dump
from apps.notifications.hook_events import EXAMPLES
from apps.notifications.jobs import job_starter
from apps.notifications.models import Delivery, DeliveryState, Webhook, WebhookStatus

MOST_OF_A_PLACE = 50
LONGEST_SECRET = 1024
LONGEST_DESCRIPTION = 5000
_LONGEST_TEST_SECONDS = 20
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class HookChange:
    """What to change of a webhook; None leaves a field as it is. An empty secret or authorization removes it."""

    name: str | None = None
    description: str | None = None
    url: str | None = field(default=None, repr=False)
    # In place of a URL: what is started, as `apps.notifications.jobs` finds it, and its entry point.
    job: str | None = None
    job_entry_point: str = ""
    events: Collection[str] | None = None
    status: WebhookStatus | None = None
    secret: str | None = field(default=None, repr=False)
    authorization: str | None = field(default=None, repr=False)
    verify_tls: bool | None = None


def create_webhook(actor: Actor, *, place: Place, dialect: str, change: HookChange) -> Webhook:
    """A webhook that tells what happens in `place`, which was fetched with the right to. Raises `InvalidInput`.

    `change` has to hold a URL or a job, and events.
    """
    hook = Webhook(team_id=place.team_id, dialect=dialect_of(dialect).code, owner_id=actor.user_id)
    if place.target is not None:
        hook.kind, hook.object_id = place.target.kind, place.target.object_id
    change = _found(actor, hook, change)
    _check(hook.dialect, change)
    _apply(hook, change)
    if not (hook.url or hook.job) or not hook.events:
        raise InvalidInput("A webhook wants a URL and at least one event.")
    _refuse_circles(hook)
    with transaction.atomic():
        _refuse_too_many(hook)
        hook.save()
        record(actor, events.WEBHOOK_CREATED, _subject(hook, place.team_name), after=_shown(hook))
    return hook


def change_webhook(actor: Actor, *, webhook: Webhook, change: HookChange) -> Webhook:
    """Change some of it. Whoever changes where it leads answers for it from then on. Raises `InvalidInput`.

    An authorization stays with its host: one that isn't given anew with another host is removed.
    """
    change = _found(actor, webhook, change)
    _check(webhook.dialect, change)
    with transaction.atomic():
        locked = Webhook.objects.select_for_update().filter(pk=webhook.pk).first()
        if locked is None:
            raise NotFound(f"Webhook with ID {webhook.uid} not found.")
        before = _shown(locked)
        _apply(locked, change)
        _refuse_circles(locked)
        if change.authorization is None and _host(locked) != before["host"]:
            locked.sealed_authorization = ""
        if change.url is not None or change.job is not None or change.status == WebhookStatus.ACTIVE:
            locked.owner_id = actor.user_id
            locked.failures, locked.rests_until = 0, None
        locked.changed_at = timezone.now()
        locked.save()
        after = _shown(locked) | _renewed(change)
        record(actor, events.WEBHOOK_CHANGED, _subject(locked, _team_name(webhook)), before=before, after=after)
    locked.team, locked.owner = webhook.team, webhook.owner if locked.owner_id == webhook.owner_id else locked.owner
    return locked


def delete_webhook(actor: Actor, *, webhook: Webhook) -> None:
    """Remove it with its deliveries; what is on its way may still arrive."""
    with transaction.atomic():
        subject = _subject(webhook, _team_name(webhook))
        Webhook.objects.filter(pk=webhook.pk).delete()
        record(actor, events.WEBHOOK_DELETED, subject, before=_shown(webhook))


def send_test(actor: Actor, *, webhook: Webhook, word: str = "") -> Delivery:
    """Make a call with an example of `word` (else of its first event) now and wait for the answer: ten seconds at most.

    A job is started. Raises `InvalidInput` for a word that the dialect lacks. Call it outside of a transaction.
    """
    delivery = _example(actor, webhook, word or webhook.events[0])
    with _turn_of(webhook):
        outcome = outbox.start(delivery) if webhook.job else outbox.post(outbox.make_call(delivery), webhook)
    outbox.note(delivery, outcome)
    delivery.state = DeliveryState.DELIVERED if outcome.went_through else DeliveryState.FAILED
    delivery.finished_at = timezone.now()
    with transaction.atomic():
        if not Webhook.objects.filter(pk=webhook.pk).exists():
            raise Conflict("The webhook was deleted meanwhile.")
        delivery.save()
        note = str(delivery.status or delivery.error)
        record(actor, events.WEBHOOK_TESTED, _subject(webhook, _team_name(webhook)), note=note)
    return delivery


def redeliver(actor: Actor, *, delivery: Delivery) -> Delivery:
    """Send a finished delivery again, as a new one. Raises `Conflict` for one that is still pending."""
    if delivery.state == DeliveryState.PENDING:
        raise Conflict("This delivery is still pending: it is tried again by itself.")
    hook = delivery.webhook
    with transaction.atomic():
        again = Delivery.objects.create(
            webhook=hook, event=delivery.event, payload=delivery.payload, is_test=delivery.is_test
        )
        Webhook.objects.filter(pk=hook.pk).update(rests_until=None)
        record(actor, events.DELIVERY_REPEATED, _subject(hook, _team_name(hook)), note=f"delivery {delivery.pk}")
        transaction.on_commit(outbox.kick, robust=True)
    return again


def reseal_webhooks(actor: Actor) -> Resealed:
    """Seal what webhooks keep with the newest key of the server."""
    return reseal_rows(Webhook.objects.all(), "sealed_secret", "sealed_authorization")


def _apply(hook: Webhook, change: HookChange) -> None:
    for name in ("name", "description", "url", "status", "verify_tls"):
        if (value := getattr(change, name)) is not None:
            setattr(hook, name, value)
    if change.url:
        hook.job = hook.job_entry_point = ""
    if change.job is not None:
        hook.job, hook.job_entry_point = change.job, change.job_entry_point
        # What was for a URL is for no job.
        hook.url = hook.sealed_secret = hook.sealed_authorization = ""
    if change.events is not None:
        hook.events = sorted(set(change.events))
    if change.secret is not None:
        hook.sealed_secret = seal(change.secret)
    if change.authorization is not None:
        hook.sealed_authorization = seal(change.authorization)


def _check(dialect: str, change: HookChange) -> None:
    """Raise `InvalidInput` for what can't be. It may ask the resolver: not to be called in a transaction."""
    if change.name and not _NAME.fullmatch(change.name):
        raise InvalidInput(
            f"Webhook name {change.name[:100]!r} is invalid. It must start and end with a letter or digit, be less "
            "than 63 characters long, and contain only letters, digits, dots (.), underscores (_), and hyphens (-)."
        )
    if change.description is not None and len(change.description) > LONGEST_DESCRIPTION:
        raise InvalidInput(f"The description has at most {LONGEST_DESCRIPTION} characters.")
    if change.events is not None:
        _refuse_unknown(dialect, change.events)
    for what, value in (("secret", change.secret), ("authorization", change.authorization)):
        if value and (len(value) > LONGEST_SECRET or not (value.isascii() and value.isprintable())):
            raise InvalidInput(f"The {what} has at most {LONGEST_SECRET} characters, all of them printable ASCII.")
    if change.authorization and not dialect_of(dialect).takes_authorization:
        raise InvalidInput(f"Webhooks of the dialect {dialect} send no Authorization header.")
    if change.secret and not dialect_of(dialect).takes_secret:
        raise InvalidInput(f"Webhooks of the dialect {dialect} are not signed: their URL is the secret.")
    if change.url is not None:
        check_url(change.url)


def _found(actor: Actor, hook: Webhook, change: HookChange) -> HookChange:
    """With the key of the job, which the actor may start. Raises `InvalidInput`, `NotFound`, `PermissionDenied`."""
    if change.job is None:
        return change
    if change.url or change.secret or change.authorization:
        raise InvalidInput("A webhook calls a URL or starts a job: not both.")
    if not dialect_of(hook.dialect).takes_jobs:
        raise InvalidInput(f"Webhooks of the dialect {hook.dialect} call URLs alone.")
    job = job_starter().find(actor, change.job, change.job_entry_point)
    return replace(change, job=job.key)


def _refuse_circles(hook: Webhook) -> None:
    """What it starts would start it again, without end."""
    if hook.job and (words := [word for word in hook.events if word.startswith("project_run.")]):
        raise InvalidInput(
            f"A webhook that starts runs can't be told of '{words[0]}': it would start them without end."
        )


def _refuse_unknown(dialect: str, words: Collection[str]) -> None:
    known = dialect_of(dialect).words()
    if not words:
        raise InvalidInput("Webhook events must be a non-empty list of WebhookEvent objects: [].")
    if unknown := sorted(set(words) - set(known)):
        raise InvalidInput(f"Unknown webhook event '{unknown[0][:100]}'. There are: {', '.join(known)}.")


def _example(actor: Actor, hook: Webhook, word: str) -> Delivery:
    _refuse_unknown(hook.dialect, [word])
    dialect = dialect_of(hook.dialect)
    event, facts = dialect.example_of(word)
    telling = Telling(
        event=event,
        facts={**EXAMPLES.get(event, {}), **facts},
        text=f"{actor.username} sent a test of {event}.",
        link=f"{settings.LINK_URL}/",
        team=_team_name(hook),
        actor=actor.username,
        at=timezone.now(),
        webhook_uid=hook.uid,
    )
    payload = dump(dialect.payload(word, telling))
    return Delivery(webhook=hook, event=word, payload=payload, is_test=True, attempts=1)


@contextmanager
def _turn_of(hook: Webhook) -> Iterator[None]:
    """One test at a time: each may hold a thread of the web server for as long as a call may take."""
    key = f"notifications.test.{hook.uid}"
    if not cache.add(key, 1, timeout=_LONGEST_TEST_SECONDS):
        raise TooManyRequests("A test of this webhook is still waiting for its answer.", retry_after=2)
    try:
        yield
    finally:
        cache.delete(key)


def _refuse_too_many(hook: Webhook) -> None:
    place: dict[str, Any] = {"team_id": hook.team_id, "kind": hook.kind, "object_id": hook.object_id}
    there = Webhook.objects.filter(**place).count()
    if there >= MOST_OF_A_PLACE:
        raise InvalidInput(f"There are {there} webhooks here already; {MOST_OF_A_PLACE} is the most.")


def _subject(hook: Webhook, team_name: str) -> Subject:
    return Subject("webhook", str(hook.uid), hook.name or str(hook.uid), hook.team_id, team_name)


def _team_name(hook: Webhook) -> str:
    return hook.team.name if hook.team else ""


def _shown(hook: Webhook) -> dict[str, Any]:
    """For the audit log, which many read: without secrets, and of the URL only where it leads (chats' are secrets)."""
    return {
        "dialect": hook.dialect,
        "host": _host(hook),
        **({"job": hook.job, "entry_point": hook.job_entry_point} if hook.job else {}),
        "events": hook.events,
        "status": hook.status,
        "verify_tls": hook.verify_tls,
    }


def _host(hook: Webhook) -> str:
    return hook.url.split("/")[2] if hook.url.count("/") >= 2 else ""


def _renewed(change: HookChange) -> dict[str, bool]:
    """That something changed whose value nobody may read."""
    kept = {"url": change.url, "secret": change.secret, "authorization": change.authorization}
    return {f"new_{name}": True for name, value in kept.items() if value is not None}
