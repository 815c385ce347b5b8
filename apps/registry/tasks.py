from __future__ import annotations

from celery import shared_task

from apps.core.actor import Actor
from apps.core.tasks import as_system
from apps.registry import actions, facts


@shared_task(name="registry.evaluate_gates")
@as_system
def evaluate_gates(actor: Actor) -> int:
    """Judge the gates of open requests that are due; of how many requests."""
    return facts.judge_stale()


@shared_task(name="registry.sweep")
@as_system
def sweep(actor: Actor) -> int:
    """End the requests whose time is over, and judge the gates that are due; how many requests were looked at."""
    return actions.expire_requests(actor) + facts.judge_stale()
