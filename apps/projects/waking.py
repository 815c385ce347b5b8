"""Tells workers that there is something in a queue. Nothing is promised: they look by themselves too.

A message says nothing of which run: that is the database's to say. Whoever hears it twice, or late, looks in vain.
"""

from __future__ import annotations

import logging

from django.core.cache import cache
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

_WOKEN = "projects.woken."
_WOKEN_SECONDS = 10
# Messages that no worker fetches must not heap up: nobody misses them.
_EXPIRES_SECONDS = 30
CELERY_QUEUE = "projects.{}"


def wake(queue: str) -> None:
    """Send one message to the workers of a queue, unless one is on its way that nobody has heard yet."""
    from apps.projects.tasks import work

    try:
        if cache.add(_WOKEN + queue, 1, timeout=_WOKEN_SECONDS):
            work.apply_async(args=(queue,), queue=CELERY_QUEUE.format(queue), retry=False, expires=_EXPIRES_SECONDS)
    except (RedisError, OperationalError, OSError) as error:
        logger.warning("workers of %s are not told: %s", queue, error)


def heard(queue: str) -> None:
    """Whoever hears a message says so before looking: what comes from now on sends another."""
    try:
        cache.delete(_WOKEN + queue)
    except RedisError as error:
        logger.warning("messages of %s are held back for a while: %s", queue, error)
