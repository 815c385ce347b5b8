from __future__ import annotations

import logging

from celery import shared_task

from apps.audit import heads
from apps.audit.sealing import seal_pending
from apps.audit.verification import Verification
from apps.core.actor import Actor
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
    """Walk the whole chain and log each finding as an error; how many there were."""
    kept = heads.kept_head()
    verification = Verification([kept] if kept else [])
    seal_pending(thorough=True)
    count = 0
    for finding in verification.findings():
        logger.error("%s", finding)
        count += 1
    logger.info("verified %s sealed events, %s findings", verification.checked, count)
    return count
