"""How deployments are shared: what `apps.accounts` asks of this app."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from apps.accounts.kinds import Kind, Target, register_kind
from apps.accounts.models import ObjectKind
from apps.core.actor import Actor, Level
from apps.deployments import access
from apps.deployments.addresses import deployment_url
from apps.deployments.models import Deployment


def register() -> None:
    """Let deployments be shared."""
    register_kind(ObjectKind.DEPLOYMENT, Kind(_find, _level_of, _by_ids))


def _find(actor: Actor, reference: str, level: Level) -> Target:
    return _target(access.get_deployment_by_key(actor, reference, level))


def _level_of(actor: Actor, target: Target) -> Level:
    deployment = Deployment(pk=target.object_id, team_id=target.team_id, owner_id=target.owner_id)
    return access.level_of_deployment(actor, deployment)


def _by_ids(ids: Iterable[int]) -> Mapping[int, Target]:
    found = Deployment.objects.select_related("team").filter(pk__in=list(ids))
    return {deployment.pk: _target(deployment) for deployment in found}


def _target(deployment: Deployment) -> Target:
    return Target(
        kind=ObjectKind.DEPLOYMENT,
        object_id=deployment.pk,
        reference=str(deployment.pk),
        name=deployment.name,
        team_id=deployment.team_id,
        team_name=deployment.team.name,
        url=deployment_url(deployment),
        owner_id=deployment.owner_id,
    )
