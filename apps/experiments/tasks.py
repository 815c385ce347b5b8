from __future__ import annotations

import logging

from celery import shared_task
from django.conf import settings

from apps.core.actor import Actor
from apps.core.tasks import as_system
from apps.experiments import actions
from apps.experiments.artifacts.leftovers import remove_leftovers

logger = logging.getLogger(__name__)

DAY_MS = 24 * 60 * 60 * 1000


@shared_task(name="experiments.retention")
@as_system
def retention(actor: Actor) -> int:
    """Remove for good what has lain in the trash for too long, and what broken uploads left; how many went."""
    remove_leftovers()
    if settings.RETENTION_DAYS == 0:
        return 0
    wanted = actions.Wanted(before_ms=actions.now_ms() - settings.RETENTION_DAYS * DAY_MS)
    outcomes = list(actions.empty_trash(actor, wanted=wanted))
    for outcome in outcomes:
        if outcome.error:
            logger.error("retention: %s %s: %s", outcome.kind, outcome.id, outcome.error)
    return sum(not outcome.error for outcome in outcomes)


@shared_task(name="experiments.count_storage")
@as_system
def count_storage(actor: Actor) -> int:
    """Count the bytes of each experiment's files, for pages; how many experiments were counted."""
    return actions.count_storage()
