"""Which version a deployment serves: new revisions, and the way back."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Max, QuerySet

from apps.audit.actions import record
from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.deployments import events
from apps.deployments.actions.allowing import require_allowed, require_deployable
from apps.deployments.actions.common import config_of, lock, move_epoch, now_ms, said_of, subject_of
from apps.deployments.actions.traffic import set_routes, weight_of
from apps.deployments.configuration import Config
from apps.deployments.follows import decided_against
from apps.deployments.models import Deployment, Revision, RevisionState, Route
from apps.deployments.names import check_reason
from apps.registry.models import ModelVersion


def deploy_version(
    actor: Actor,
    *,
    deployment: Deployment,
    version: ModelVersion,
    config: Config | None = None,
    reason: str = "",
    canary: bool = False,
) -> Revision:
    """A new revision of a version that was fetched, with the deployment's configuration or another.

    All traffic moves to it once it is ready; as a `canary` it is made ready and waits for somebody to give it some. The
    configuration becomes the deployment's with it: a canary's when it gets all traffic.
    Raises `Conflict` for a version that the deployment's stages don't allow or that is of another model, and
    `InvalidInput`.
    """
    check_reason(reason)
    with transaction.atomic():
        fresh = lock(deployment)
        if fresh.model_id not in (None, version.model_id):
            raise Conflict(
                f"{fresh.name} serves the model {fresh.model}; {version.model.name} wants its own deployment."
            )
        require_deployable(fresh, version)
        if canary and not Route.objects.filter(deployment=fresh, weight__gt=0).exists():
            raise Conflict(f"Nothing of {fresh.name} serves yet, so there is nothing to compare a canary with.")
        fresh.model = version.model
        config = config or Config.from_json(fresh.config)
        against = decided_against(fresh, version.pk)
        revision = add_revision(actor, fresh, version, config, reason=reason, canary=canary, dismissed=against)
        move_epoch()
    return revision


def roll_back(actor: Actor, *, deployment: Deployment, to: Revision | None = None, reason: str = "") -> Revision:
    """Serve an earlier revision again: `to`, else the one before that served. It is the same row, so warm or built.

    Raises `Conflict` where there is none, or its version was deleted or is not allowed here any more.
    """
    check_reason(reason)
    with transaction.atomic():
        fresh = lock(deployment)
        goal = to or revision_before(fresh)
        if goal is None:
            raise Conflict(f"{fresh.name} has no earlier revision that was ready.")
        if goal.pk == fresh.wanted_id and weight_of(goal) == 100:
            raise Conflict(f"{fresh.name} serves revision {goal.number} already.")
        require_allowed(fresh, goal)
        before, left = said_of(fresh.wanted), fresh.wanted.version_id if fresh.wanted else None
        # What the registry has is what people just left: following must not bring it back.
        _want(fresh, goal, dismissed=None if left == goal.version_id else left)
        _hasten(fresh, goal)
        record(actor, events.REVISION_ROLLED_BACK, subject_of(fresh), before=before, after=said_of(goal), note=reason)
        move_epoch()
    return goal


def retry_revision(actor: Actor, *, deployment: Deployment, revision: Revision) -> Revision:
    """Try a revision that failed once more. Raises `Conflict` for one that didn't, that nobody wants any more, or whose
    version is not allowed here any more.
    """
    with transaction.atomic():
        fresh = lock(deployment)
        again = Revision.objects.select_for_update(of=("self",)).get(pk=revision.pk)
        if again.state != RevisionState.FAILED:
            raise Conflict(f"Revision {again.number} did not fail.")
        if again.pk != fresh.wanted_id and not again.is_canary:
            raise Conflict(f"Revision {again.number} is not wanted any more; roll back to it instead.")
        require_allowed(fresh, again)
        _set_state(again, RevisionState.PENDING)
        record(actor, events.REVISION_DEPLOYED, subject_of(fresh), after=said_of(again), note="Tried again.")
        move_epoch()
    return again


def add_revision(
    actor: Actor,
    deployment: Deployment,
    version: ModelVersion,
    config: Config,
    *,
    reason: str,
    canary: bool = False,
    dismissed: int | None = None,
) -> Revision:
    """The next revision of a deployment whose lock the caller holds, with its event. `dismissed`: as for `_want`."""
    before, now = said_of(deployment.wanted), now_ms()
    newest = Revision.objects.filter(deployment=deployment).aggregate(newest=Max("number"))["newest"] or 0
    revision = Revision.objects.create(
        deployment=deployment,
        number=newest + 1,
        version=version,
        model_name=version.model.name,
        version_number=version.number,
        config=config.to_json(),
        instances_wanted=config.instances,
        is_canary=canary,
        owner_id=actor.user_id,
        owner_name=actor.username,
        reason=reason,
        created_ms=now,
        state_ms=now,
    )
    if canary:
        deployment.updated_ms = now
        deployment.save(update_fields=["updated_ms", "model"])
    else:
        _want(deployment, revision, dismissed)
    after = {**said_of(revision), "config": revision.config, "canary": canary}
    record(actor, events.REVISION_DEPLOYED, subject_of(deployment), before=before, after=after, note=reason)
    return revision


def _want(deployment: Deployment, revision: Revision, dismissed: int | None = None) -> None:
    """Move the desired state; a proposal of that version is settled by it. `dismissed`: a version that is not to come
    again by following.
    """
    deployment.wanted, deployment.updated_ms = revision, now_ms()
    deployment.config = config_of(revision)
    if deployment.proposed_id == revision.version_id:
        deployment.proposed = None
    deployment.dismissed_id = dismissed
    deployment.save(update_fields=["wanted", "proposed", "dismissed", "config", "model", "updated_ms"])
    Revision.objects.filter(pk=revision.pk).update(rests_ms=None, is_canary=False)
    if not revision.instances_wanted:
        instances = Config.from_json(revision.config).instances
        Revision.objects.filter(pk=revision.pk).update(instances_wanted=instances)


def _hasten(deployment: Deployment, goal: Revision) -> None:
    """One that runs still has its traffic back at once; another is made ready first, also where it failed before."""
    goal.refresh_from_db(fields=["state"])
    if goal.state == RevisionState.READY:
        set_routes(deployment, {goal: 100})
    elif goal.state == RevisionState.FAILED:
        _set_state(goal, RevisionState.PENDING)


def _set_state(revision: Revision, state: RevisionState) -> None:
    revision.state, revision.message, revision.state_ms = state, "", now_ms()
    revision.save(update_fields=["state", "message", "state_ms"])


def revision_before(deployment: Deployment) -> Revision | None:
    """Where the way back leads: to what has the traffic while a change is made, else to what served before; with
    version and model. Canaries are not on it.
    """
    wanted = deployment.wanted
    if wanted is None:
        return None
    found = Revision.objects.filter(deployment=deployment, ready_ms__isnull=False, is_canary=False)
    found = found.exclude(pk=wanted.pk).select_related("version__model__team")
    serving = found.filter(routes__weight__gt=0).order_by("-routes__weight").first()
    return serving or _served_before(found, wanted)


def _served_before(found: QuerySet[Revision], wanted: Revision) -> Revision | None:
    """What had all the traffic last before a revision was made: not the one with the number below, which people may
    have gone back from themselves. Going back once more leads further back, and never forth.
    """
    served = found.filter(served_ms__lt=wanted.created_ms).order_by("-served_ms", "-number").first()
    return served or found.filter(number__lt=wanted.number).order_by("-number").first()
