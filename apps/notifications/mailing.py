"""What mails say, as text and as simple HTML, in which what people wrote is text too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from apps.notifications.happenings import Happening
from apps.notifications.models import Notification

_LONGEST_SUBJECT = 160


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail: the subject in one line, and the same words as text and as HTML."""

    subject: str
    body: str
    html: str


def mail_about(happening: Happening) -> Letter:
    """The mail about one happening."""
    return _letter(subject_of(happening.text), [(happening.text, happening.url)])


def digest_of(lines: Sequence[Notification], more: int) -> Letter:
    """A day's mail; `more` lines were left out."""
    count = len(lines) + more
    subject = ngettext("%(count)s notification", "%(count)s notifications", count) % {"count": count}
    rest = _("… and %(count)s more in your inbox.") % {"count": more} if more else ""
    return _letter(f"Slipway: {subject}", [(line.text, line.url) for line in lines], rest)


def subject_of(text: str) -> str:
    """The sentence in one line of bounded length: headers take no line breaks."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_SUBJECT else line[: _LONGEST_SUBJECT - 1] + "…"


def _letter(subject: str, told: Sequence[tuple[str, str]], more: str = "") -> Letter:
    """`told` are sentences, each with the path of its page."""
    lines = [(text, settings.LINK_URL + path if path else "") for text, path in told]
    settings_url = settings.LINK_URL + reverse("notifications:preferences")
    footer = _("You choose what you are told, and how, in your settings:")
    parts = [f"{text}\n{link}".strip() for text, link in lines]
    body = "\n\n".join([*parts, *filter(None, [more]), f"--\n{footer} {settings_url}"])
    shown = {"subject": subject, "lines": lines, "more": more, "settings_url": settings_url, "language": get_language()}
    return Letter(subject, body, render_to_string("notifications/mail.html", shown))
