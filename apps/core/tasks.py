"""How Celery meets the house: what a task does, it does as the system, in a context of its own.

A task is an adapter: `@shared_task` outside, `@as_system` inside, and a call of one action or selector.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from celery import current_task, shared_task
from django.core.cache import cache
from django.core.management import call_command

from apps.core.actor import Actor, system_actor
from apps.core.context import RequestContext, entered, new_request_id

HEARTBEAT_KEY = "core.heartbeat"

P = ParamSpec("P")
R = TypeVar("R")


def as_system(task: Callable[Concatenate[Actor, P], R]) -> Callable[P, R]:
    """Hand the system's actor to `task` as first argument, inside a context whose request id is the task's id."""

    @wraps(task)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        task_id = getattr(getattr(current_task, "request", None), "id", None)
        with entered(RequestContext(request_id=task_id or new_request_id())):
            return task(system_actor(), *args, **kwargs)

    del run.__wrapped__
    return run


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
