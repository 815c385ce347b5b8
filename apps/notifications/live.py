"""Tells open pages that somebody's inbox changed. Nothing is promised: bells also look for themselves.

A thread of each process tells them, so that whoever commits doesn't wait; only people whose pages are open are told.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

# Bells say that they are there more often than this (`consumers.LOOK_SECONDS`).
WATCHED_SECONDS = 90
_WATCHED = "notifications.watched."
_THREAD = "slipway-bells"
_thread = ThreadPoolExecutor(1, _THREAD)
_loop: asyncio.AbstractEventLoop | None = None


def bell_group(user_id: int) -> str:
    """The group that the bells of a person's pages listen to."""
    return f"bell.{user_id}"


def watch(group: str) -> None:
    """Say that a bell listens to the group, which is believed for `WATCHED_SECONDS`; others are told nothing."""
    try:
        cache.set(_WATCHED + group, 1, timeout=WATCHED_SECONDS)
    except RedisError as error:
        logger.warning("bells get no pushes: %s", error)


def touch(user_ids: Iterable[int]) -> None:
    """Say, after commit, that these inboxes changed."""
    if settings.LIVE_PUSH:
        _thread.submit(_push, sorted(user_ids))


async def deliver(user_ids: Iterable[int]) -> None:
    """Ring the bells of those whose pages are open."""
    layer: Any = get_channel_layer()
    for key in cache.get_many([_WATCHED + bell_group(user_id) for user_id in user_ids]):
        await layer.group_send(key.removeprefix(_WATCHED), {"type": "inbox.touched"})


def _push(user_ids: list[int]) -> None:
    global _loop
    # One loop for the life of the thread, so that the layer keeps its connections.
    _loop = _loop or asyncio.new_event_loop()
    try:
        _loop.run_until_complete(asyncio.wait_for(deliver(user_ids), timeout=5))
    except (TimeoutError, RedisError, OSError) as error:
        logger.warning("bells get no pushes: %s", error)


def _after_fork() -> None:
    """A child has no threads but its own."""
    global _thread, _loop
    _thread, _loop = ThreadPoolExecutor(1, _THREAD), None


os.register_at_fork(after_in_child=_after_fork)
