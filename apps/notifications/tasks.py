from __future__ import annotations

from celery import shared_task

from apps.core.actor import Actor
from apps.core.tasks import as_system
from apps.notifications import actions, mailbox, outbox


@shared_task(name="notifications.send_deliveries")
@as_system
def send_deliveries(actor: Actor) -> int:
    """Call the webhooks that are due; how many calls were made."""
    return outbox.send_due()


@shared_task(name="notifications.send_mails")
@as_system
def send_mails(actor: Actor) -> int:
    """Send the mails that are due; how many went out."""
    return mailbox.send_due()


@shared_task(name="notifications.write_digests")
@as_system
def write_digests(actor: Actor) -> int:
    """Write the mails of those who want one a day; how many."""
    return actions.write_digests(actor)


@shared_task(name="notifications.prune")
@as_system
def prune(actor: Actor) -> int:
    """Remove deliveries and mails of more than 30 days, and inbox lines of more than 180; how many rows."""
    return actions.prune(actor)
