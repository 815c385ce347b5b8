"""What people say about a version, as its page shows it."""

from __future__ import annotations

from dataclasses import dataclass

from apps.core.actor import Actor
from apps.registry.actions.comments import is_author, may_delete_comment
from apps.registry.models import Comment, ModelVersion

_MOST = 200


@dataclass(frozen=True, slots=True)
class CommentLine:
    """A comment, and what the reader may do to it."""

    comment: Comment
    may_edit: bool
    may_delete: bool


def lines_of(actor: Actor, version: ModelVersion) -> list[CommentLine]:
    """The newest comments on a version that was fetched, the oldest of them first. One statement."""
    found = list(Comment.objects.filter(version=version).order_by("-created_ms", "-pk")[:_MOST])
    for comment in found:
        comment.version = version
    return [CommentLine(one, is_author(actor, one), may_delete_comment(actor, one)) for one in reversed(found)]
