"""Mails that were written with what they tell, sent after commit, each until it is through or a day old.

One sender at a time, and one mail: however slow the server is, it holds neither all workers nor a mail for longer than
the lease.
"""

from __future__ import annotations

import time
from datetime import timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused

from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.core import tasks
from apps.notifications.models import MailOut

# Longer than a server can take for a mail; what is held longer was held by somebody who is gone.
LEASE = timedelta(minutes=5)
GIVE_UP_AFTER = timedelta(days=1)
_WAITS = (60, 300, 900, 3600, 7200)
_RUN_SECONDS = 240.0
# A sender that didn't say for so long that it runs was killed.
_ALIVE_SECONDS = 120
_KICKED = "notifications.mail_kicked"


def kick() -> None:
    """Say, after commit, that there are mails to send."""
    from apps.notifications.tasks import send_mails

    tasks.kick(send_mails, _KICKED)


def send_due() -> int:
    """Send what is due; how many went out. Stops where the server is away: the next mail would meet that too."""
    return tasks.do_alone(_send_until_nothing_is_due, _KICKED, seconds=_ALIVE_SECONDS)


def _send_until_nothing_is_due() -> int:
    count, end = 0, time.monotonic() + _RUN_SECONDS
    while time.monotonic() < end and (mail := _claim()) is not None:
        tasks.still_at_it(_KICKED, seconds=_ALIVE_SECONDS)
        error = _send(mail)
        _write(mail, (str(error) or type(error).__name__)[:500] if error else "")
        count += error is None
        if error and not _is_of_one_mail(error):
            break
    return count


def _claim() -> MailOut | None:
    now = timezone.now()
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    with transaction.atomic():
        due = MailOut.objects.filter(free, finished_at__isnull=True, next_at__lte=now).select_related("user")
        mail = due.select_for_update(of=("self",), skip_locked=True).order_by("next_at").first()
        if mail is not None:
            mail.claimed_until, mail.attempts = now + LEASE, mail.attempts + 1
            mail.save(update_fields=["claimed_until", "attempts"])
    return mail


def _send(mail: MailOut) -> Exception | None:
    """Why it didn't go out, if so. Who has no address any more, or is disabled, is sent nothing."""
    if not mail.user.email or not mail.user.is_active:
        return None
    try:
        message = EmailMultiAlternatives(mail.subject, mail.body, to=[mail.user.email], connection=get_connection())
        if mail.html:
            message.attach_alternative(mail.html, "text/html")
        message.send()
    except (OSError, ValueError) as error:  # SMTP's errors are of the first kind, a broken address of the second
        return error
    return None


def _is_of_one_mail(error: Exception) -> bool:
    """Whether an address or a content is refused, which says nothing of other mails."""
    if isinstance(error, SMTPDataError):
        return error.smtp_code >= 500
    return isinstance(error, (SMTPRecipientsRefused, ValueError))


def _write(mail: MailOut, error: str) -> None:
    """Only while the lease is ours: another sender may have taken it over."""
    now = timezone.now()
    wait = timedelta(seconds=_WAITS[min(mail.attempts, len(_WAITS)) - 1])
    is_over = not error or now + wait > mail.created_at + GIVE_UP_AFTER
    MailOut.objects.filter(pk=mail.pk, claimed_until=mail.claimed_until).update(
        error=error, claimed_until=None, next_at=now + wait, finished_at=now if is_over else None
    )
