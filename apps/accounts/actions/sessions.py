from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.db import transaction

from apps.accounts import events
from apps.accounts.actions.common import user_subject
from apps.accounts.models import User
from apps.audit.actions import Subject, record
from apps.core.actor import Actor, Via

_NOBODY = Actor(user_id=None, username="", via=Via.PASSWORD)


def note_sign_in(actor: Actor, *, user: User) -> None:
    """Record that somebody signed in by the page."""
    with transaction.atomic():
        record(actor, events.SIGNED_IN, user_subject(user))


def note_sign_out(actor: Actor, *, user: User) -> None:
    """Record that somebody signed out."""
    with transaction.atomic():
        record(actor, events.SIGNED_OUT, user_subject(user))


def note_failed_sign_in(user: User | None, *, is_locked: bool) -> None:
    """Record a wrong password, and that it was one too many.

    A name that nobody has is not kept: people type their password into the wrong field.
    """
    subject = user_subject(user) if user else Subject("user", "", "an unknown user")
    with transaction.atomic():
        record(_NOBODY, events.SIGN_IN_FAILED, subject)
        if is_locked:
            record(_NOBODY, events.SIGN_IN_LOCKED, subject, note=subject.name)


def end_session(actor: Actor, *, session: UserSession) -> None:
    """Sign one browser out."""
    with transaction.atomic():
        record(actor, events.SESSION_ENDED, user_subject(session.user), before={"ip": session.ip})
        session.end()


def end_other_sessions(actor: Actor, *, user: User, keep: str) -> None:
    """Sign every browser out but the one of the session key `keep`."""
    with transaction.atomic():
        if drop_sessions(user, keep=keep):
            record(actor, events.SESSION_ENDED, user_subject(user), note="all others")


def drop_sessions(user: User, *, keep: str = "") -> int:
    """End sessions inside of another action; how many ended."""
    sessions = list(UserSession.objects.filter(user_id=user.pk).exclude(session_key=keep))
    for session in sessions:
        session.end()
    return len(sessions)
