"""Tells open pages that something changed. Costs whoever changes it a set insertion; nothing is promised.

A thread of each process gathers what was touched for a moment and tells the groups whose pages watch. Where the broker
is away a push is lost, never a call: open pages also look for themselves from time to time.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from channels.layers import get_channel_layer
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)
Messages = Mapping[str, Mapping[str, Any]]

_KEPT_TOUCHES = 50_000
_LOG_EVERY_SECONDS = 60


class Pushes(Generic[K]):
    """The pushes of one kind of page. `messages_of` says, for what was touched, what each group is told.

    Pages have to say that they are there (`watch`) more often than `watched_seconds`; other groups are told nothing.
    """

    def __init__(
        self,
        name: str,
        messages_of: Callable[[Mapping[K, set[str]]], Messages],
        *,
        gather_seconds: float = 0.1,
        watched_seconds: int = 30,
    ) -> None:
        self._name, self._messages_of = name, messages_of
        self._gather_seconds, self._watched_seconds = gather_seconds, watched_seconds
        self._logged_at = 0.0
        self._begin()
        _all.add(self)

    def touch(self, key: K, part: str) -> None:
        """Say, after commit, that a part of something changed."""
        if len(self._touched) < _KEPT_TOUCHES:
            self._touched.add((key, part))
        if not self._awake.is_set():
            self._awake.set()
        if self._thread is None and settings.LIVE_PUSH:
            self._start()

    def take(self) -> dict[K, set[str]]:
        """What was touched since the last call: parts by key. Adding and popping are atomic, so it needs no lock."""
        taken: dict[K, set[str]] = {}
        self._awake.clear()
        for _ in range(len(self._touched)):
            key, part = self._touched.pop()
            taken.setdefault(key, set()).add(part)
        return taken

    def watch(self, group: str) -> None:
        """Say that a page listens to a group, which is believed for a while."""
        try:
            cache.set(self._watched(group), 1, timeout=self._watched_seconds)
        except RedisError as error:
            self._log_seldom(error)

    async def deliver(self, messages: Messages) -> None:
        """Tell each group that a page watches. Asking for all at once costs what telling one group does."""
        if not messages:
            return
        layer: Any = get_channel_layer()
        for key in cache.get_many([self._watched(group) for group in messages]):
            group = key.removeprefix(self._watched(""))
            await layer.group_send(group, dict(messages[group]))

    def _begin(self) -> None:
        self._touched: set[tuple[K, str]] = set()
        self._awake = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def _watched(self, group: str) -> str:
        return f"{self._name}.watched.{group}"

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                name = f"slipway-live-{self._name}"
                self._thread = threading.Thread(target=self._push_forever, name=name, daemon=True)
                self._thread.start()

    def _push_forever(self) -> None:
        # One loop for the life of the thread, so that the layer keeps its connections.
        loop = asyncio.new_event_loop()
        while True:
            self._awake.wait()
            time.sleep(self._gather_seconds)
            try:
                messages = self._messages_of(self.take())
                loop.run_until_complete(asyncio.wait_for(self.deliver(messages), timeout=10))
            except (TimeoutError, RedisError, OSError, DatabaseError) as error:
                self._log_seldom(error)
            except Exception:  # the thread must outlive any fault: it is started once
                logger.exception("live push")

    def _log_seldom(self, error: Exception) -> None:
        if time.monotonic() - self._logged_at > _LOG_EVERY_SECONDS:
            self._logged_at = time.monotonic()
            logger.warning("live pages get no pushes: %s", error)


_all: weakref.WeakSet[Pushes[Any]] = weakref.WeakSet()


def _after_fork(pushes: Iterable[Pushes[Any]] = _all) -> None:
    """A child has no threads but its own, and may have copied locks in any state."""
    for one in pushes:
        one._begin()


os.register_at_fork(after_in_child=_after_fork)
