"""What may be served where: asked by each way in which a revision comes to traffic, so that none leads past a stage."""

from __future__ import annotations

from apps.accounts.access import users_with
from apps.accounts.models import Membership, ObjectKind
from apps.core.actor import Level, Role
from apps.core.errors import Conflict, InvalidInput
from apps.deployments.models import Deployment, Revision
from apps.registry.models import ModelVersion, RegisteredModel


def require_deployable(deployment: Deployment, version: ModelVersion) -> None:
    """Raise `Conflict` unless the version may be served there now, `InvalidInput` for what never can."""
    if version.is_broken or version.model.is_prompt:
        raise InvalidInput("This version names no files of this server, so there is nothing to serve.")
    if not _is_in_stage(deployment, version):
        raise Conflict(
            f"{deployment.name} serves versions in {' or '.join(deployment.stages)} alone, and {version} is in "
            f"{version.stage}. Ask for its promotion first."
        )


def require_allowed(deployment: Deployment, revision: Revision) -> None:
    """Raise `Conflict` where what a revision serves was deleted, or is not allowed there any more."""
    if revision.version is None:
        raise Conflict(f"{revision.model_name} version {revision.version_number} was deleted.")
    require_deployable(deployment, revision.version)


def is_allowed(deployment: Deployment, revision: Revision) -> bool:
    """Whether `require_allowed` would let it pass."""
    return revision.version is not None and _is_in_stage(deployment, revision.version)


def may_be_followed(deployment: Deployment, model: RegisteredModel) -> bool:
    """Whether somebody who keeps a deployment may read a model now: what was shared once may have been taken back.

    Three statements at most, and none for a model of the same team.
    """
    if model.team_id == deployment.team_id:
        return True
    keepers = Membership.objects.filter(team_id=deployment.team_id, role__in=(Role.MAINTAINER, Role.ADMIN))
    people = set(keepers.values_list("user_id", flat=True))
    if deployment.owner_id is not None:
        people.add(deployment.owner_id)
    return bool(users_with(people, ObjectKind.REGISTERED_MODEL, model.pk, model.team_id, Level.READ))


def _is_in_stage(deployment: Deployment, version: ModelVersion) -> bool:
    return not deployment.stages or version.stage in deployment.stages
