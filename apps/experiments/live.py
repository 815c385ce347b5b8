"""Tells open pages that something of a run changed. Costs the caller a set insertion; nothing is promised.

A thread of each process gathers what was touched for a moment and tells the run's group and its experiment's. Where the
broker is away a push is lost, never a call: open pages also look for themselves from time to time.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from channels.layers import get_channel_layer
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from redis.exceptions import RedisError

from apps.experiments.models import Run

logger = logging.getLogger(__name__)

Part = Literal["metrics", "params", "tags", "status", "artifacts", "datasets"]

GATHER_SECONDS = 0.3
# Pages say that they are there more often than this (`consumers.LOOK_SECONDS`).
WATCHED_SECONDS = 30
_KEPT_TOUCHES = 50_000
_KEPT_EXPERIMENTS = 20_000
_LOG_EVERY_SECONDS = 60
_WATCHED = "live.watched."

_touched: set[tuple[str, Part]] = set()
_awake = threading.Event()
_starting = threading.Lock()
_thread: threading.Thread | None = None
_experiments: OrderedDict[str, int] = OrderedDict()
_logged_at = 0.0


def touch(run_id: str, part: Part) -> None:
    """Say, after commit, that `part` of the run changed."""
    if len(_touched) < _KEPT_TOUCHES:
        _touched.add((run_id, part))
    if not _awake.is_set():
        _awake.set()
    if _thread is None and settings.LIVE_PUSH:
        _start()


def run_group(run_id: str) -> str:
    """The group that pages of the run listen to."""
    return f"run.{run_id}"


def experiment_group(experiment_id: int) -> str:
    """The group that pages of the experiment listen to."""
    return f"experiment.{experiment_id}"


def take() -> dict[str, set[str]]:
    """What was touched since the last call: parts by run id. Adding and popping are atomic, so it needs no lock."""
    taken: dict[str, set[str]] = {}
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


async def deliver(parts_by_run: Mapping[str, set[str]], experiments: Mapping[str, int]) -> None:
    """Tell each run's group its parts, and each experiment's group which of its runs changed, if a page watches it."""
    messages: dict[str, dict[str, Any]] = {}
    runs_by_experiment: dict[int, list[str]] = {}
    for run_id, parts in parts_by_run.items():
        messages[run_group(run_id)] = {"type": "run.touched", "parts": sorted(parts)}
        if run_id in experiments:
            runs_by_experiment.setdefault(experiments[run_id], []).append(run_id)
    for experiment_id, run_ids in runs_by_experiment.items():
        messages[experiment_group(experiment_id)] = {"type": "runs.touched", "run_ids": run_ids[:100]}
    if not messages:
        return
    layer: Any = get_channel_layer()
    # Asking for all at once costs what telling one group does. It blocks the loop, which has nothing else to do.
    for key in cache.get_many([_WATCHED + group for group in messages]):
        group = key.removeprefix(_WATCHED)
        await layer.group_send(group, messages[group])


def experiments_of(run_ids: Iterable[str]) -> dict[str, int]:
    """The experiment of each run; one statement for those not met lately."""
    wanted = list(run_ids)
    unknown = [run_id for run_id in wanted if run_id not in _experiments]
    for start in range(0, len(unknown), 500):
        found = Run.objects.filter(run_id__in=unknown[start : start + 500]).values_list("run_id", "experiment_id")
        _experiments.update(found)
    known = {run_id: _experiments[run_id] for run_id in wanted if run_id in _experiments}
    while len(_experiments) > _KEPT_EXPERIMENTS:
        _experiments.popitem(last=False)
    return known


def _start() -> None:
    global _thread
    with _starting:
        if _thread is None:
            _thread = threading.Thread(target=_push_forever, name="slipway-live", daemon=True)
            _thread.start()


def _push_forever() -> None:
    # One loop for the life of the thread, so that the layer keeps its connections.
    loop = asyncio.new_event_loop()
    while True:
        _awake.wait()
        time.sleep(GATHER_SECONDS)
        try:
            _push_once(loop)
        except (TimeoutError, RedisError, OSError, DatabaseError) as error:
            _log_seldom(error)
        except Exception:  # the thread must outlive any fault: it is started once
            logger.exception("live push")


def _push_once(loop: asyncio.AbstractEventLoop) -> None:
    parts_by_run = take()
    try:
        experiments = experiments_of(parts_by_run)
    finally:
        connection.close()
    loop.run_until_complete(asyncio.wait_for(deliver(parts_by_run, experiments), timeout=10))


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
