"""Deployments as rows, as the supervisor would leave them."""

from __future__ import annotations

from typing import Any

from apps.accounts.models import Team
from apps.deployments.actions.common import move_epoch, now_ms
from apps.deployments.models import Deployment, Instance, InstanceState, Revision, RevisionState, Route

# Model name and version of every revision that is made here.
MODEL, VERSION = "iris-classifier", 3


def make_deployment(team: Team, name: str = "iris", **more: Any) -> Deployment:
    """A deployment without a revision."""
    now = now_ms()
    made = Deployment.objects.create(team=team, name=name, created_ms=now, updated_ms=now, **more)
    move_epoch()
    return made


def make_revision(deployment: Deployment, weight: int = 100, number: int = 1, **config: Any) -> Revision:
    """A revision that is ready, with a part of the traffic."""
    now = now_ms()
    revision = Revision.objects.create(
        deployment=deployment,
        number=number,
        model_name=MODEL,
        version_number=VERSION,
        config=config,
        state=RevisionState.READY,
        created_ms=now,
        state_ms=now,
    )
    if weight:
        Route.objects.create(deployment=deployment, revision=revision, weight=weight)
    move_epoch()
    return revision


def make_instance(revision: Revision, address: str, **more: Any) -> Instance:
    """An instance that answers there."""
    values: dict[str, Any] = {"host": "here", "target": "process", "state": InstanceState.READY, "started_ms": now_ms()}
    made = Instance.objects.create(revision=revision, address=address, **values | more)
    move_epoch()
    return made
