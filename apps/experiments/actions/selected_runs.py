"""The trash for several runs at once: one transaction, and an event for each run."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from apps.core.actor import Actor
from apps.experiments.actions.runs import delete_run, restore_run
from apps.experiments.models import Run


def delete_runs(actor: Actor, *, runs: Iterable[Run]) -> None:
    """Put runs into the trash, all or none. Their experiments and teams have been fetched with them."""
    with transaction.atomic():
        for run in runs:
            delete_run(actor, run=run)


def restore_runs(actor: Actor, *, runs: Iterable[Run]) -> None:
    """Take runs out of the trash, all or none."""
    with transaction.atomic():
        for run in runs:
            restore_run(actor, run=run)
