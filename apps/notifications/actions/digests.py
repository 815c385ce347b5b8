from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from apps.accounts.authentication import actor_of_user
from apps.core.actor import Actor, Via
from apps.notifications import mailbox
from apps.notifications.mailing import digest_of
from apps.notifications.models import MailOut, MailPreference, MailTiming, Notification

DIGEST_EVERY = timedelta(days=1)
DIGEST_LINES = 50


def write_digests(actor: Actor) -> int:
    """Write the day's mail of everybody whose day is over; how many. Those who read everything get none."""
    before = timezone.now() - DIGEST_EVERY
    due = MailPreference.objects.filter(timing=MailTiming.DAILY, digest_at__lte=before).values_list("pk", flat=True)
    return sum(_write_digest(pk) for pk in list(due))


def _write_digest(pk: int) -> bool:
    now = timezone.now()
    with transaction.atomic():
        locked = MailPreference.objects.select_for_update(of=("self",), skip_locked=True).select_related("user")
        preference = locked.filter(pk=pk, timing=MailTiming.DAILY, digest_at__lte=now - DIGEST_EVERY).first()
        if preference is None:
            return False
        MailPreference.objects.filter(pk=pk).update(digest_at=now)
        if not preference.user.email or not preference.user.is_active:
            return False
        # As its person, so that it tells nothing of what isn't for them any more.
        own = Notification.objects.visible_to(actor_of_user(preference.user, Via.SYSTEM))
        unread = own.unread().filter(created_at__gt=preference.digest_at)
        count = unread.count()
        if not count:
            return False
        letter = digest_of(list(unread[:DIGEST_LINES]), max(0, count - DIGEST_LINES))
        MailOut.objects.create(user_id=preference.user_id, **asdict(letter))
        transaction.on_commit(mailbox.kick, robust=True)
    return True
