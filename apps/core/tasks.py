"""How Celery meets the house: what a task does, it does as the system, in a context of its own.

A task is an adapter: `@shared_task` outside, `@as_system` inside, and a call of one action or selector.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from celery import current_task, shared_task
from django.core.cache import cache
from django.core.management import call_command
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from apps.core import certificates
from apps.core.actor import Actor, system_actor
from apps.core.context import RequestContext, entered, new_request_id

logger = logging.getLogger(__name__)

HEARTBEAT_KEY = "core.heartbeat"
_KICK_SECONDS = 10

P = ParamSpec("P")
R = TypeVar("R")


def as_system(task: Callable[Concatenate[Actor, P], R]) -> Callable[P, R]:
    """Hand the system's actor to `task` as first argument, inside a context whose request id is the task's id."""

    @wraps(task)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        task_id = getattr(getattr(current_task, "request", None), "id", None)
        name = getattr(current_task, "name", None) or ""
        with entered(RequestContext(request_id=task_id or new_request_id(), task=name)):
            return task(system_actor(), *args, **kwargs)

    del run.__wrapped__
    return run


def kick(task: Any, key: str) -> None:
    """Queue a task, after commit, once until it deletes `key`. Where the broker is away, the next sweep does it."""
    try:
        if cache.add(key, 1, timeout=_KICK_SECONDS):
            task.apply_async(retry=False)
    except (RedisError, OperationalError, OSError) as error:
        logger.warning("%s waits for its next sweep: %s", task.name, error)


def do_alone(work: Callable[[], int], key: str, *, seconds: int) -> int:
    """Do what tasks are kicked for by `key`, one at a time; what the work counted.

    Who comes while another is at it leaves it to that one, which looks again. Who was killed is believed to be at it
    for `seconds`; work that takes longer says `still_at_it`.
    """
    count = 0
    while cache.add(_running(key), 1, timeout=seconds):
        cache.delete(key)
        try:
            count += work()
        finally:
            cache.delete(_running(key))
        if cache.get(key) is None:
            break
    return count


def still_at_it(key: str, *, seconds: int) -> None:
    """Say that the work of `do_alone` goes on."""
    cache.touch(_running(key), seconds)


def _running(key: str) -> str:
    return f"{key}.running"


@shared_task(name="core.heartbeat")
@as_system
def heartbeat(actor: Actor) -> None:
    """Say that scheduled work is sent and done; `/health/ready` and `/metrics` read it."""
    cache.set(HEARTBEAT_KEY, time.time(), timeout=None)


@shared_task(name="core.clear_sessions")
@as_system
def clear_sessions(actor: Actor) -> None:
    """Delete the sessions that have ended."""
    call_command("clearsessions")


@shared_task(name="core.look_at_certificate")
@as_system
def look_at_certificate(actor: Actor) -> None:
    """See when the certificate of the public address ends; `/metrics` tells."""
    certificates.look()
