from __future__ import annotations

from functools import partial

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.accounts import events, sign_in_links, throttling
from apps.accounts.actions.common import user_subject
from apps.accounts.models import User
from apps.audit.actions import Subject, record
from apps.core.actor import Actor, Via
from apps.core.errors import InvalidInput, NotFound

_NOBODY = Actor(user_id=None, username="", via=Via.PASSWORD)


def note_sign_in(actor: Actor, *, user: User, by: str) -> None:
    """Record that somebody signed in by the page; `by` is `password`, `link` or the address of a provider."""
    with transaction.atomic():
        record(actor, events.SIGNED_IN, user_subject(user), after={"by": by})


def make_sign_in_link(actor: Actor, *, user: User) -> str:
    """A link that signs the person in, once and within `PASSWORD_RESET_TIMEOUT` seconds; failures are forgotten.

    Raises `InvalidInput` for who can't sign in at all.
    """
    if user.is_service:
        raise InvalidInput("Service accounts sign in by token alone.")
    if not user.is_active:
        raise InvalidInput(f"{user.username} is disabled.")
    with transaction.atomic():
        record(actor, events.SIGN_IN_LINK_MADE, user_subject(user))
        transaction.on_commit(partial(throttling.forget_failures, user.username))
    return f"{settings.LINK_URL}/login/link/{sign_in_links.new_text(user)}/"


def use_sign_in_link(*, text: str) -> User:
    """Whom a link signs in, once: it is used up by this. Raises `NotFound` for one that is over or none."""
    user = sign_in_links.find_user(text)
    if user is not None:
        last = Q(last_login=user.last_login) if user.last_login else Q(last_login__isnull=True)
        # Of two who come at once with the same link the second finds another time.
        if User.objects.filter(last, pk=user.pk, is_active=True).update(last_login=timezone.now()):
            return user
    raise NotFound("This link is over: it was used, or made too long ago.")


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
