from __future__ import annotations

import time
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F

from apps.audit.actions import Subject
from apps.core.errors import NotFound
from apps.deployments import live
from apps.deployments.configuration import Config
from apps.deployments.models import Deployment, Revision, ServingEpoch

EPOCH = 1


def now_ms() -> int:
    """Milliseconds since the epoch, by this machine's clock."""
    return time.time_ns() // 1_000_000


def subject_of(deployment: Deployment) -> Subject:
    """What an event about a deployment names; its team has to be at hand."""
    return Subject("deployment", str(deployment.pk), deployment.name, deployment.team_id, deployment.team.name)


def lock(deployment: Deployment) -> Deployment:
    """The row as it is now, until the transaction ends: desired state and routes change one step after the other.

    Whoever takes it is about to change something, so open pages are told after the commit. Raises `NotFound` where it
    was deleted meanwhile.
    """
    found = Deployment.objects.select_for_update(of=("self",)).select_related("team", "model__team", "wanted")
    fresh = found.filter(pk=deployment.pk).first()
    if fresh is None:
        raise NotFound(f"No deployment {deployment.name!r}.")
    transaction.on_commit(partial(live.touch, fresh.pk))
    return fresh


def move_epoch() -> None:
    """Let gateways read anew. The last statement of a transaction: all changes meet at this row."""
    if not ServingEpoch.objects.filter(pk=EPOCH).update(number=F("number") + 1):
        ServingEpoch.objects.bulk_create([ServingEpoch(pk=EPOCH, number=1)], ignore_conflicts=True)


def config_of(revision: Revision) -> dict[str, Any]:
    """What new revisions are made with as long as this one is wanted: its own configuration, with as many instances as
    it was scaled to.
    """
    config = Config.from_json(revision.config)
    return config.changed(instances=revision.instances_wanted or config.instances).to_json()


def said_of(revision: Revision | None) -> dict[str, object]:
    """What events keep of a revision."""
    if revision is None:
        return {}
    return {"revision": revision.number, "model": revision.model_name, "version": revision.version_number}
