"""What happens when the stage or alias that a deployment follows has another version."""

from __future__ import annotations

from django.db import transaction

from apps.audit.actions import record
from apps.core.actor import Actor
from apps.core.errors import Conflict, DomainError
from apps.deployments import events, telling
from apps.deployments.actions.allowing import may_be_followed, require_deployable
from apps.deployments.actions.common import lock, move_epoch, now_ms, said_of, subject_of
from apps.deployments.actions.revisions import add_revision, deploy_version
from apps.deployments.configuration import Config
from apps.deployments.follows import version_followed
from apps.deployments.models import Deployment, Following, FollowMode, Revision
from apps.deployments.names import check_reason
from apps.registry.models import ModelVersion


def follow_registry(actor: Actor, *, deployment: Deployment) -> bool:
    """Make or propose the change that the registry asks for, as the system; whether there was one.

    Looks at what is now, not at what happened, so nothing is missed and nothing done twice.
    """
    if deployment.follows == Following.FIXED or deployment.is_stopped:
        return False
    with transaction.atomic():
        fresh = lock(deployment)
        version = version_followed(fresh)
        if version is not None and not may_be_followed(fresh, version.model):
            # What was shared goes on as it is; new versions are not theirs any more.
            version = None
        if version is None or version.pk in (_wanted_version(fresh), fresh.proposed_id, fresh.dismissed_id):
            return _withdraw(fresh, version)
        if fresh.follow_mode == FollowMode.PROPOSE:
            _propose(actor, fresh, version)
        else:
            return _apply(actor, fresh, version)
    return True


def accept_proposal(actor: Actor, *, deployment: Deployment, canary: bool = False, reason: str = "") -> Revision:
    """Deploy what was proposed. Raises `Conflict` where nothing is, or it is not allowed here any more."""
    version = deployment.proposed
    if version is None:
        raise Conflict(f"Nothing is proposed for {deployment.name}.")
    if not may_be_followed(deployment, version.model):
        raise Conflict(f"Nobody who keeps {deployment.name} may read {version.model.name} any more.")
    revision = deploy_version(actor, deployment=deployment, version=version, reason=reason, canary=canary)
    settled = Deployment.objects.filter(pk=deployment.pk, proposed=version)
    # A canary is not what is wanted yet, and needs no second proposal beside it.
    settled.update(proposed=None, **({"dismissed": version} if canary else {}))
    return revision


def dismiss_proposal(actor: Actor, *, deployment: Deployment, reason: str = "") -> Deployment:
    """Leave what is served as it is; that version is not proposed again before another was.

    Raises `Conflict` where nothing is proposed.
    """
    check_reason(reason)
    with transaction.atomic():
        fresh = lock(deployment)
        if fresh.proposed_id is None:
            raise Conflict(f"Nothing is proposed for {fresh.name}.")
        fresh.dismissed_id, fresh.proposed, fresh.updated_ms = fresh.proposed_id, None, now_ms()
        fresh.save(update_fields=["dismissed", "proposed", "updated_ms"])
        record(actor, events.PROPOSAL_DISMISSED, subject_of(fresh), note=reason)
    return fresh


def _wanted_version(deployment: Deployment) -> int | None:
    return deployment.wanted.version_id if deployment.wanted is not None else None


def _withdraw(deployment: Deployment, version: ModelVersion | None) -> bool:
    """A proposal that the registry has taken back is none any more."""
    if deployment.proposed_id is None or (version is not None and version.pk == deployment.proposed_id):
        return False
    deployment.proposed = None
    deployment.save(update_fields=["proposed"])
    return True


def _propose(actor: Actor, deployment: Deployment, version: ModelVersion) -> None:
    deployment.proposed, deployment.dismissed, deployment.updated_ms = version, None, now_ms()
    deployment.save(update_fields=["proposed", "dismissed", "updated_ms"])
    after = {"model": version.model.name, "version": version.number}
    record(actor, events.VERSION_PROPOSED, subject_of(deployment), before=said_of(deployment.wanted), after=after)
    telling.tell_proposed(actor, deployment, version)


def _apply(actor: Actor, deployment: Deployment, version: ModelVersion) -> bool:
    try:
        require_deployable(deployment, version)
    except DomainError:
        return False
    reason = f"{deployment.followed} has version {version.number}."
    add_revision(actor, deployment, version, Config.from_json(deployment.config), reason=reason)
    telling.tell_followed(actor, deployment, version)
    move_epoch()
    return True
