from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import transaction

from apps.core.actor import Actor
from apps.experiments.actions.common import Pair
from apps.experiments.models import Experiment, Run, RunTag


def create_run(
    actor: Actor, *, experiment: Experiment, name: str, user_name: str, start_ms: int, tags: Sequence[Pair] = ()
) -> Run:
    """A new running run."""
    all_tags = dict(tags)
    with transaction.atomic():
        run = Run.objects.create(
            run_id=uuid.uuid4().hex,
            experiment=experiment,
            name=name,
            user_name=user_name,
            owner_id=actor.user_id,
            start_ms=start_ms,
            parent_run_id=all_tags.get("mlflow.parentRunId", ""),
        )
        RunTag.objects.bulk_create(RunTag(run=run, key=key, value=value) for key, value in all_tags.items())
    return run
