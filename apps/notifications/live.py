"""Tells open pages that somebody's inbox changed (`apps.core.live`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from apps.core.live import Pushes

# Bells say that they are there more often than this (`consumers.LOOK_SECONDS`).
WATCHED_SECONDS = 90


def touch(user_ids: Iterable[int]) -> None:
    """Say, after commit, that these inboxes changed."""
    for user_id in user_ids:
        pushes.touch(user_id, "all")


def bell_group(user_id: int) -> str:
    """The group that the bells of a person's pages listen to."""
    return f"bell.{user_id}"


def messages_of(touched: Mapping[int, set[str]]) -> dict[str, dict[str, Any]]:
    """What the bells of each person are told."""
    return {bell_group(user_id): {"type": "inbox.touched"} for user_id in touched}


pushes = Pushes[int]("notifications", messages_of, watched_seconds=WATCHED_SECONDS)
