from __future__ import annotations

import re

from django.db import transaction

from apps.accounts.models import User
from apps.audit.actions import record
from apps.audit.codes import EventCode
from apps.core.actor import Actor, Role
from apps.core.errors import PermissionDenied
from apps.core.markdown import to_text
from apps.registry import events, telling
from apps.registry.actions.common import checked_comment, now_ms
from apps.registry.models import Comment, ModelVersion
from apps.registry.subjects import version_subject

MAX_MENTIONS = 20

# Names of users; what ends a sentence is tried with and without.
_MENTION = re.compile(r"(?<![\w@])@([\w.@+-]{1,150})")
_SHOWN = 300


def comment_on(actor: Actor, *, version: ModelVersion, text: str) -> Comment:
    """Say something about a version, in Markdown; who is mentioned with @name hears of it, if they may read it."""
    text = checked_comment(text, required=True)
    now = now_ms()
    with transaction.atomic():
        comment = Comment.objects.create(
            version=version,
            author_id=actor.user_id,
            author_name=actor.username,
            text=text,
            created_ms=now,
            updated_ms=now,
        )
        _note(actor, events.COMMENT_ADDED, comment)
        telling.tell_comment(actor, version, text, _shown(text), to=_taking_part(version), mentioned=_mentioned(text))
    return comment


def change_comment(actor: Actor, *, comment: Comment, text: str) -> Comment:
    """Say it in other words; for its author. Who is mentioned only now hears of it."""
    require_author(actor, comment)
    text = checked_comment(text, required=True)
    before = comment.text
    with transaction.atomic():
        comment.text, comment.updated_ms = text, now_ms()
        comment.save(update_fields=["text", "updated_ms"], force_update=True)
        _note(actor, events.COMMENT_CHANGED, comment)
        if new := _mentioned(text) - _mentioned(before):
            telling.tell_mention(actor, comment.version, _shown(text), new)
    return comment


def delete_comment(actor: Actor, *, comment: Comment) -> None:
    """Remove a comment: for its author, and for who administers the team."""
    require_deleter(actor, comment)
    with transaction.atomic():
        _note(actor, events.COMMENT_DELETED, comment)
        comment.delete()


def is_author(actor: Actor, comment: Comment) -> bool:
    """Whether the actor wrote it."""
    return comment.author_id is not None and comment.author_id == actor.user_id


def may_delete_comment(actor: Actor, comment: Comment) -> bool:
    """Its author, and who administers the team of a comment that was fetched with its model."""
    return is_author(actor, comment) or actor.role_in(comment.version.model.team_id) is Role.ADMIN


def require_author(actor: Actor, comment: Comment) -> None:
    """Raise `PermissionDenied` unless the actor wrote it."""
    if not is_author(actor, comment):
        raise PermissionDenied("Permission denied: a comment is changed by who wrote it.")


def require_deleter(actor: Actor, comment: Comment) -> None:
    """Raise `PermissionDenied` unless the actor may delete it."""
    if not may_delete_comment(actor, comment):
        raise PermissionDenied("Permission denied: a comment is deleted by who wrote it, or administers the team.")


def _taking_part(version: ModelVersion) -> set[int]:
    """Who made the version and who has commented on it."""
    authors = Comment.objects.filter(version=version, author__isnull=False).order_by()
    return {*authors.values_list("author_id", flat=True).distinct(), *filter(None, [version.owner_id])}


def _mentioned(text: str) -> set[int]:
    """The keys of the people whom a text mentions. One statement, or none."""
    found = dict.fromkeys(_MENTION.findall(text))
    names = {form for name in list(found)[:MAX_MENTIONS] for form in (name, name.rstrip(".@+-"))}
    people = User.objects.filter(username__in=names, is_active=True).order_by() if names else User.objects.none()
    return set(people.values_list("pk", flat=True))


def _note(actor: Actor, code: EventCode, comment: Comment) -> None:
    record(actor, code, version_subject(comment.version), after={"comment": comment.pk, "by": comment.author_name})


def _shown(text: str) -> str:
    said = to_text(text)
    return said if len(said) <= _SHOWN else f"{said[: _SHOWN - 1]}…"
