"""Tells open pages that a run or its log changed. Costs the caller a set insertion; nothing is promised.

A thread of each process gathers what was touched for a moment and tells the pages that watch. Where the broker is away
a push is lost, never a call: open pages also look for themselves from time to time.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Mapping
from typing import Any, Literal

from channels.layers import get_channel_layer
from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

Part = Literal["run", "log"]

GATHER_SECONDS = 0.1
# Pages say that they are there more often than this (`LivePage.look_seconds`).
WATCHED_SECONDS = 30
_KEPT_TOUCHES = 50_000
_LOG_EVERY_SECONDS = 60
_WATCHED = "projects.watched."

_touched: set[tuple[int, Part]] = set()
_awake = threading.Event()
_starting = threading.Lock()
_thread: threading.Thread | None = None
_logged_at = 0.0


def touch(run_id: int, part: Part) -> None:
    """Say, after commit, that a project run, or its log, changed."""
    if len(_touched) < _KEPT_TOUCHES:
        _touched.add((run_id, part))
    if not _awake.is_set():
        _awake.set()
    if _thread is None and settings.LIVE_PUSH:
        _start()


def run_group(run_id: int) -> str:
    """The group that pages of the run listen to."""
    return f"project-run.{run_id}"


def take() -> dict[int, set[str]]:
    """What was touched since the last call: parts by run. Adding and popping are atomic, so it needs no lock."""
    taken: dict[int, set[str]] = {}
    _awake.clear()
    for _ in range(len(_touched)):
        run_id, part = _touched.pop()
        taken.setdefault(run_id, set()).add(part)
    return taken


def watch(group: str) -> None:
    """Say that a page listens to the group, which is believed for `WATCHED_SECONDS`; others are told nothing."""
    try:
        cache.set(_WATCHED + group, 1, timeout=WATCHED_SECONDS)
    except RedisError as error:
        _log_seldom(error)


async def deliver(parts_by_run: Mapping[int, set[str]]) -> None:
    """Tell the group of each run that a page watches which parts of it changed."""
    messages = {run_group(run_id): sorted(parts) for run_id, parts in parts_by_run.items()}
    if not messages:
        return
    layer: Any = get_channel_layer()
    for key in cache.get_many([_WATCHED + group for group in messages]):
        group = key.removeprefix(_WATCHED)
        await layer.group_send(group, {"type": "run.touched", "parts": messages[group]})


def _start() -> None:
    global _thread
    with _starting:
        if _thread is None:
            _thread = threading.Thread(target=_push_forever, name="slipway-live-projects", daemon=True)
            _thread.start()


def _push_forever() -> None:
    # One loop for the life of the thread, so that the layer keeps its connections.
    loop = asyncio.new_event_loop()
    while True:
        _awake.wait()
        time.sleep(GATHER_SECONDS)
        try:
            loop.run_until_complete(asyncio.wait_for(deliver(take()), timeout=10))
        except (TimeoutError, RedisError, OSError) as error:
            _log_seldom(error)
        except Exception:  # the thread must outlive any fault: it is started once
            logger.exception("live push")


def _log_seldom(error: Exception) -> None:
    global _logged_at
    if time.monotonic() - _logged_at > _LOG_EVERY_SECONDS:
        _logged_at = time.monotonic()
        logger.warning("live pages get no pushes: %s", error)


def _after_fork() -> None:
    """A child has no threads but its own, and may have copied locks in any state."""
    global _thread, _awake, _starting
    _thread, _awake, _starting = None, threading.Event(), threading.Lock()
    _touched.clear()


os.register_at_fork(after_in_child=_after_fork)
