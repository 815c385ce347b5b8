"""When Celery's worker starts and stops, ours does."""

from __future__ import annotations

from typing import Any

from celery.signals import worker_ready, worker_shutdown, worker_shutting_down


def connect() -> None:
    """Listen to Celery; twice is once."""
    worker_ready.connect(_ready, dispatch_uid="projects.ready")
    worker_shutting_down.connect(_shutting_down, dispatch_uid="projects.shutting_down")
    worker_shutdown.connect(_shutdown, dispatch_uid="projects.shutdown")


def _ready(**_: Any) -> None:
    from apps.projects.execution.worker import this_worker

    this_worker().open()


def _shutting_down(**_: Any) -> None:
    """In a signal's handler, so it only says so."""
    from apps.projects.execution.worker import this_worker

    this_worker().stop()


def _shutdown(**_: Any) -> None:
    from apps.projects.execution.worker import this_worker

    this_worker().join()
