"""Deployments, revisions and instances as the API shows them, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from apps.deployments.configuration import Config
from apps.deployments.models import Deployment, Instance, InstanceState, Revision, Route
from apps.deployments.selectors.states import DeploymentState, states_of


@dataclass(frozen=True, slots=True)
class DeploymentRecord:
    """A deployment and how it stands."""

    deployment: Deployment
    state: DeploymentState

    @property
    def config(self) -> dict[str, Any]:
        """What new revisions are made with, all of it."""
        return whole(self.deployment.config)


@dataclass(frozen=True, slots=True)
class RevisionRecord:
    """A revision with its share of the traffic, and how many of its instances answer."""

    revision: Revision
    is_wanted: bool
    weight: int
    ready: int

    @property
    def config(self) -> dict[str, Any]:
        """What it was made with, all of it."""
        return whole(self.revision.config)


def records_of(deployments: Iterable[Deployment]) -> list[DeploymentRecord]:
    """Two statements for those that were fetched with what they name."""
    found = list(deployments)
    states = states_of(found)
    return [DeploymentRecord(each, states[each.pk]) for each in found]


def revisions_of(deployment: Deployment) -> QuerySet[Revision]:
    """Those of a deployment that was fetched, with their weights and instances counted."""
    weights = Route.objects.filter(revision=OuterRef("pk")).values("weight")[:1]
    ready = Q(instances__ended_ms__isnull=True, instances__state=InstanceState.READY)
    found = Revision.objects.filter(deployment=deployment)
    return found.annotate(weight=Coalesce(Subquery(weights), 0), ready=Count("instances", filter=ready))


def revision_records(deployment: Deployment, revisions: Iterable[Revision]) -> list[RevisionRecord]:
    """Of what `revisions_of` found. No statement."""
    return [
        RevisionRecord(each, each.pk == deployment.wanted_id, getattr(each, "weight"), getattr(each, "ready"))  # noqa: B009
        for each in revisions
    ]


def revision_record(deployment: Deployment, revision: Revision) -> RevisionRecord:
    """One, as it is now."""
    return revision_records(deployment, revisions_of(deployment).filter(pk=revision.pk))[0]


def instances_of(deployment: Deployment, *, revision: int | None, alive: bool | None) -> QuerySet[Instance]:
    """Those of a deployment that was fetched, with their revisions."""
    found = Instance.objects.filter(revision__deployment=deployment).select_related("revision")
    if revision is not None:
        found = found.filter(revision__number=revision)
    return found if alive is None else found.filter(ended_ms__isnull=alive)


def whole(kept: dict[str, Any]) -> dict[str, Any]:
    """A configuration with what is as usual, which is not kept."""
    config = Config.from_json(kept)
    return {name: getattr(config, name) for name in config.__struct_fields__}
