"""Deployments of these tests, as people make them, and what a supervisor would have observed, as rows."""

from __future__ import annotations

from typing import Any

from apps.core.actor import system_actor
from apps.deployments import actions
from apps.deployments.actions.common import now_ms
from apps.deployments.actions.traffic import set_routes
from apps.deployments.configuration import Config
from apps.deployments.models import Deployment, Instance, InstanceState, Revision, RevisionState, ServingHost
from apps.registry.models import ModelVersion, RegisteredModel
from tests.personas import Persona
from tests.registry.models import make_model, make_version

FILES = "1/0/artifacts/model"


def make_host(name: str = "mill", **more: Any) -> ServingHost:
    """A host whose supervisor was heard of just now."""
    given = {"pid": 7, "version": "0.1.0", "targets": ["process"], **more}
    return ServingHost.objects.create(name=name, seen_ms=now_ms(), started_ms=now_ms(), **given)


def servable(owner: Persona, name: str = "iris", **more: Any) -> ModelVersion:
    """The next version of the model of that name, which is made where it isn't there; it names files."""
    found = RegisteredModel.objects.filter(team=owner.actor.team_id or 0, name=name).select_related("team").first()
    return make_version(owner, found or make_model(owner, name), **{"folder": FILES, **more})


def make_deployment(
    owner: Persona,
    name: str = "iris",
    *,
    version: ModelVersion | None = None,
    config: Config | None = None,
    **more: Any,
) -> Deployment:
    """One of the owner's team, which nobody has begun to build."""
    return actions.create_deployment(
        owner.actor, name=name, version=version or servable(owner), config=config or Config(), **more
    )


def add_revision(owner: Persona, deployment: Deployment, **more: Any) -> Revision:
    """Another revision of the next version."""
    assert deployment.model is not None
    version = servable(owner, deployment.model.name)
    return actions.deploy_version(owner.actor, deployment=deployment, version=version, **more)


def make_ready(revision: Revision, weight: int = 100) -> Revision:
    """Let it answer with all its instances, and have so much of the traffic; the rest goes to nobody."""
    now = now_ms()
    Revision.objects.filter(pk=revision.pk).update(state=RevisionState.READY, ready_ms=now, state_ms=now)
    revision.refresh_from_db()
    for _ in range(revision.instances_wanted):
        make_instance(revision, ready_ms=now)
    if weight:
        set_routes(revision.deployment, {revision: weight})
    return revision


def make_instance(revision: Revision, state: InstanceState = InstanceState.READY, **more: Any) -> Instance:
    """One on the host `mill`."""
    given = {"host": "mill", "target": "process", "isolation": "separate process", "started_ms": now_ms(), **more}
    return Instance.objects.create(revision=revision, state=state, **given)


def fail(revision: Revision, message: str = "The model can't be loaded.\n  more of the log") -> Revision:
    """Let the supervisor have given up on it."""
    Revision.objects.filter(pk=revision.pk).update(state=RevisionState.FAILED, message=message)
    revision.refresh_from_db()
    return revision


def ready_deployment(owner: Persona, name: str = "iris", **more: Any) -> Deployment:
    """One that serves its first revision."""
    deployment = make_deployment(owner, name, **more)
    assert deployment.wanted is not None
    make_ready(deployment.wanted)
    return fresh(deployment)


def fresh(deployment: Deployment) -> Deployment:
    """As it is now."""
    found = Deployment.objects.select_related("team", "model__team", "wanted", "owner", "proposed__model")
    return found.get(pk=deployment.pk)


def wanted_of(deployment: Deployment) -> Revision:
    """What it is moving to, as it is now."""
    wanted = fresh(deployment).wanted
    assert wanted is not None
    return wanted


def follow(deployment: Deployment) -> bool:
    """Let the supervisor look at what it follows."""
    return actions.follow_registry(system_actor(), deployment=fresh(deployment))
