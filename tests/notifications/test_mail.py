from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from smtplib import SMTPRecipientsRefused

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.locmem import EmailBackend
from django.test import override_settings
from django.utils import timezone

from apps.accounts.models import User
from apps.notifications import mailbox, tasks
from apps.notifications.actions import publish, read_notifications, set_preferences
from apps.notifications.models import MailOut, MailPreference, MailTiming
from tests.notifications.happenings import happening
from tests.personas import People


class Broken(BaseEmailBackend):
    """A server that takes nothing."""

    def send_messages(self, messages: object) -> int:
        raise ConnectionRefusedError("no mail today")


class Picky(EmailBackend):
    """A server that doesn't know one of the addresses."""

    def send_messages(self, messages: Sequence[mail.EmailMessage]) -> int:
        if messages[0].to == ["gone@example.org"]:
            raise SMTPRecipientsRefused({"gone@example.org": (550, b"no such user")})
        return int(super().send_messages(messages))


BROKEN = override_settings(EMAIL_BACKEND="tests.notifications.test_mail.Broken")


@pytest.fixture
def ben(people: People) -> User:
    """Ben, with an address."""
    user = people.ben.user
    user.email = "ben@example.org"
    user.save()
    return user


def tell(people: People, text: str = "ada asked.") -> None:
    publish(people.ada.actor, happening=happening(people, text=text), to=[people.ben.user.pk])


def test_it_goes_out_once(people: People, ben: User) -> None:
    tell(people, "ada asked\nBcc: everybody@example.org for **Production**.")
    assert (tasks.send_mails(), tasks.send_mails()) == (1, 0)
    sent = mail.outbox[0]
    assert (sent.to, sent.subject) == (["ben@example.org"], "ada asked Bcc: everybody@example.org for **Production**.")
    assert "/models/forge/iris/versions/2/" in str(sent.body)
    assert MailOut.objects.get().finished_at


def test_the_html_says_the_same_and_holds_no_markup_of_people(people: People, ben: User) -> None:
    tell(people, "ada wrote: **good** <script>x</script>")
    tasks.send_mails()
    sent = mail.outbox[0]
    assert isinstance(sent, mail.EmailMultiAlternatives)
    content, kind = sent.alternatives[0]
    html = str(content)
    assert kind == "text/html"
    assert "ada wrote: good &lt;script&gt;x&lt;/script&gt;" in html
    assert 'href="http://localhost:5000/models/forge/iris/versions/2/"' in html
    assert 'href="http://localhost:5000/settings/notifications/"' in html


def test_who_is_disabled_meanwhile_gets_none(people: People, ben: User) -> None:
    tell(people)
    User.objects.filter(pk=ben.pk).update(is_active=False)
    tasks.send_mails()
    assert mail.outbox == []
    assert MailOut.objects.get().finished_at


def test_a_server_that_is_away_is_asked_again_for_a_day(people: People, ben: User) -> None:
    for _ in range(3):
        tell(people)
    with BROKEN:
        assert (tasks.send_mails(), tasks.send_mails()) == (0, 0)
    first = MailOut.objects.earliest("pk")
    assert (first.attempts, first.error, first.finished_at) == (1, "no mail today", None)
    assert first.next_at > timezone.now()
    # Each time one is tried, and the others are left.
    assert MailOut.objects.filter(attempts=0).count() == 1
    MailOut.objects.update(next_at=timezone.now())
    assert tasks.send_mails() == 3
    tell(people)
    MailOut.objects.update(created_at=timezone.now() - timedelta(days=1))
    with BROKEN:
        tasks.send_mails()
    assert not MailOut.objects.filter(finished_at__isnull=True).exists()


def test_an_address_that_is_refused_keeps_no_other_mail(people: People, ben: User) -> None:
    User.objects.filter(pk=people.max.user.pk).update(email="gone@example.org")
    both = [people.max.user.pk, ben.pk]
    publish(people.ada.actor, happening=happening(people), to=both)
    MailOut.objects.filter(user=ben).update(next_at=timezone.now())
    with override_settings(EMAIL_BACKEND="tests.notifications.test_mail.Picky"):
        assert tasks.send_mails() == 1
    assert [sent.to for sent in mail.outbox] == [["ben@example.org"]]
    refused = MailOut.objects.get(user=people.max.user)
    assert refused.finished_at is None
    assert "no such user" in refused.error


def test_who_was_thought_dead_says_no_more(people: People, ben: User) -> None:
    tell(people)
    late = mailbox._claim()
    assert late and mailbox._claim() is None
    MailOut.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert tasks.send_mails() == 1
    mailbox._write(late, "late")
    sent = MailOut.objects.get()
    assert (sent.error, sent.finished_at is None) == ("", False)


def test_what_a_killed_sender_held_goes_out_later(people: People, ben: User) -> None:
    tell(people)
    MailOut.objects.update(claimed_until=timezone.now() + timedelta(minutes=1))
    assert tasks.send_mails() == 0
    MailOut.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert tasks.send_mails() == 1


def test_a_digest_tells_what_is_unread(people: People, ben: User) -> None:
    set_preferences(people.ben.actor, mail=MailTiming.DAILY)
    for number in range(3):
        tell(people, f"ada asked {number}.")
    assert (tasks.send_mails(), tasks.write_digests()) == (0, 0)
    yesterday = timezone.now() - timedelta(days=1, minutes=1)
    MailPreference.objects.update(digest_at=yesterday)
    assert (tasks.write_digests(), tasks.write_digests()) == (1, 0)
    assert tasks.send_mails() == 1
    assert mail.outbox[0].subject == "Slipway: 3 notifications"
    assert all(f"ada asked {number}." in str(mail.outbox[0].body) for number in range(3))
    MailPreference.objects.update(digest_at=yesterday)
    read_notifications(people.ben.actor)
    assert tasks.write_digests() == 0


def test_the_first_digest_begins_with_the_choice(people: People, ben: User) -> None:
    set_preferences(people.ben.actor, mail=MailTiming.NONE)
    tell(people, "before")
    MailPreference.objects.update(digest_at=timezone.now() - timedelta(days=9))
    set_preferences(people.ben.actor, mail=MailTiming.DAILY)
    chosen = MailPreference.objects.get().digest_at
    set_preferences(people.ben.actor, mail=MailTiming.DAILY)
    assert MailPreference.objects.get().digest_at == chosen > timezone.now() - timedelta(minutes=1)
    assert tasks.write_digests() == 0


def test_a_digest_tells_nothing_that_is_not_for_them_any_more(people: People, ben: User) -> None:
    set_preferences(people.ben.actor, mail=MailTiming.DAILY)
    tell(people)
    MailPreference.objects.update(digest_at=timezone.now() - timedelta(days=1, minutes=1))
    ben.memberships.all().delete()
    assert tasks.write_digests() == 0
