"""How long a browser stays signed in: until it rests too long, or the session is old, whichever comes first."""

from __future__ import annotations

import time

from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone
from django.utils.translation import gettext as _

IDLE_SECONDS = 3 * 24 * 60 * 60
ABSOLUTE_SECONDS = 14 * 24 * 60 * 60
_NOTED_EVERY = 300
# In this order: most browsers name those before them too.
_BROWSERS = {
    "Edg": "Edge", "OPR/": "Opera", "Vivaldi": "Vivaldi", "SamsungBrowser": "Samsung Internet", "Firefox": "Firefox",
    "FxiOS": "Firefox", "CriOS": "Chrome", "Chrom": "Chrome", "Safari": "Safari",
}  # fmt: skip
_SYSTEMS = {
    "iPhone": "iPhone", "iPad": "iPad", "Android": "Android", "CrOS": "ChromeOS", "Windows": "Windows",
    "Mac OS X": "macOS", "Linux": "Linux",
}  # fmt: skip
_STARTED = "signed_in_at"
_SEEN = "seen_at"


def start(session: SessionBase) -> None:
    """Note the sign-in. A session that was only of the way to it ends as others do from now on."""
    session.set_expiry(None)
    session[_STARTED] = session[_SEEN] = int(time.time())


def browser_named(user_agent: str) -> str:
    """A browser in a few words, `Firefox on Windows`, from what it says of itself."""
    browser = next((name for mark, name in _BROWSERS.items() if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS.items() if mark in user_agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or user_agent.partition("/")[0] or _("unknown")


def is_over(session: SessionBase) -> bool:
    """Whether the session has rested too long or is too old."""
    now = time.time()
    started, seen = float(session.get(_STARTED, now)), float(session.get(_SEEN, now))
    return now - seen > IDLE_SECONDS or now - started > ABSOLUTE_SECONDS


def note_use(session: SessionBase) -> None:
    """Remember that the session is in use, at most every five minutes: a write for each page would be too many."""
    now = int(time.time())
    if _SEEN in session and now - session[_SEEN] > _NOTED_EVERY:
        session[_SEEN] = now
        UserSession.objects.filter(session_key=session.session_key).update(last_seen_at=timezone.now())
