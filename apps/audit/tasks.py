from __future__ import annotations

import logging
import time

from celery import shared_task
from django.core.cache import cache

from apps.audit import heads
from apps.audit.heads import Head
from apps.audit.sealing import seal_pending
from apps.audit.verification import LAST_KEY, Verification
from apps.core.actor import Actor
from apps.core.errors import InvalidInput
from apps.core.tasks import as_system

logger = logging.getLogger("slipway.audit.verify")


@shared_task(name="audit.seal")
@as_system
def seal(actor: Actor) -> int:
    """Seal what is pending; how many events."""
    return seal_pending()


@shared_task(name="audit.verify")
@as_system
def verify(actor: Actor) -> int:
    """Walk the whole chain and log each finding as an error; how many there were. `/metrics` tells it too."""
    verification = Verification(_kept_heads())
    seal_pending(thorough=True)
    count = 0
    for finding in verification.findings():
        logger.error("%s", finding)
        count += 1
    cache.set(LAST_KEY, (count, time.time()), timeout=None)
    logger.info("verified %s sealed events, %s findings", verification.checked, count)
    return count


def _kept_heads() -> list[Head]:
    """The chain is walked also where the file of the head can't be read."""
    try:
        kept = heads.kept_head()
    except (InvalidInput, OSError, UnicodeDecodeError) as error:
        logger.error("the file of the head in the data folder can't be read: %s", error)
        return []
    return [kept] if kept else []
