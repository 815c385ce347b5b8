"""How the traffic of a deployment is split, by hand: steps of a canary, and how many instances there are."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from apps.audit.actions import record
from apps.core.actor import Actor
from apps.core.errors import Conflict, InvalidInput
from apps.deployments import events
from apps.deployments.actions.allowing import require_allowed
from apps.deployments.actions.common import config_of, lock, move_epoch, now_ms, said_of, subject_of
from apps.deployments.configuration import Config
from apps.deployments.follows import decided_against
from apps.deployments.models import Deployment, Revision, RevisionState, Route
from apps.deployments.names import check_reason

MAX_INSTANCES = 64


def shift_traffic(actor: Actor, *, deployment: Deployment, weights: Mapping[int, int], reason: str = "") -> Deployment:
    """Give each revision, by its number, its percent of the traffic; together 100. One with 100 is what is wanted then.

    Raises `InvalidInput`, and `Conflict` for a revision that is not ready, and for one that would get more although its
    version is not allowed there any more.
    """
    check_reason(reason)
    shares = {number: weight for number, weight in weights.items() if weight}
    if any(weight < 0 for weight in weights.values()) or sum(shares.values()) != 100:
        raise InvalidInput("The weights have to be percents from 0 to 100, and 100 together.")
    with transaction.atomic():
        fresh = lock(deployment)
        named = Revision.objects.filter(deployment=fresh, number__in=list(weights)).select_related("version__model")
        found = {each.number: each for each in named}
        before = split_of(fresh)
        for number, weight in shares.items():
            _require_ready(fresh, number, found.get(number))
            if weight > before.get(str(number), 0):
                require_allowed(fresh, found[number])
        set_routes(fresh, {found[number]: weight for number, weight in shares.items()})
        if len(shares) == 1:
            _settle(fresh, found[next(iter(shares))])
        after = {"weights": split_of(fresh)}
        record(actor, events.REVISION_SHIFTED, subject_of(fresh), before={"weights": before}, after=after, note=reason)
        move_epoch()
    return fresh


def end_canary(actor: Actor, *, deployment: Deployment, revision: Revision, reason: str = "") -> Deployment:
    """Give a canary's traffic back to what served beside it, and let it rest.

    Raises `Conflict` for what is no canary, and where nothing else could answer.
    """
    check_reason(reason)
    with transaction.atomic():
        fresh = lock(deployment)
        canary = Revision.objects.filter(pk=revision.pk, is_canary=True).first()
        if canary is None or fresh.wanted is None or canary.pk == fresh.wanted_id:
            raise Conflict(f"Revision {revision.number} is no canary.")
        before = split_of(fresh)
        if str(canary.number) in before:
            set_routes(fresh, _without(fresh, canary))
        Revision.objects.filter(pk=canary.pk).update(is_canary=False, rests_ms=now_ms())
        after = {"weights": split_of(fresh), "ended": said_of(canary)}
        record(actor, events.REVISION_SHIFTED, subject_of(fresh), before={"weights": before}, after=after, note=reason)
        move_epoch()
    return fresh


def scale(actor: Actor, *, deployment: Deployment, instances: int) -> Deployment:
    """How many instances what is wanted has, from now on. Raises `InvalidInput`, and `Conflict` without a revision."""
    if not 1 <= instances <= MAX_INSTANCES:
        raise InvalidInput(f"instances has to be from 1 to {MAX_INSTANCES}; to have none, stop the deployment.")
    with transaction.atomic():
        fresh = lock(deployment)
        if fresh.wanted is None:
            raise Conflict(f"{fresh.name} has no revision.")
        before = fresh.wanted.instances_wanted
        fresh.config = Config.from_json(fresh.config).changed(instances=instances).to_json()
        fresh.updated_ms = now_ms()
        fresh.save(update_fields=["config", "updated_ms"])
        Revision.objects.filter(pk=fresh.wanted.pk).update(instances_wanted=instances)
        said = {"before": {"instances": before}, "after": {"instances": instances}}
        record(actor, events.DEPLOYMENT_SCALED, subject_of(fresh), before=said["before"], after=said["after"])
        move_epoch()
    return fresh


def set_routes(deployment: Deployment, weights: Mapping[Revision, int]) -> None:
    """Write the routes of a deployment whose lock the caller holds; who loses all traffic rests after a while."""
    now = now_ms()
    losing = Revision.objects.filter(deployment=deployment, routes__isnull=False)
    for revision in losing.exclude(pk__in=[each.pk for each in weights]):
        rests = now + Config.from_json(revision.config).keep_warm_s * 1000
        Revision.objects.filter(pk=revision.pk).update(rests_ms=rests)
    Revision.objects.filter(pk__in=[each.pk for each in weights]).update(rests_ms=None)
    Revision.objects.filter(pk__in=[each.pk for each, weight in weights.items() if weight == 100]).update(served_ms=now)
    Route.objects.filter(deployment=deployment).delete()
    Route.objects.bulk_create(
        Route(deployment=deployment, revision=revision, weight=weight) for revision, weight in weights.items()
    )


def split_of(deployment: Deployment) -> dict[str, int]:
    """Percents by revision number, as events keep them."""
    rows = Route.objects.filter(deployment=deployment).order_by("revision__number")
    return {str(number): weight for number, weight in rows.values_list("revision__number", "weight")}


def weight_of(revision: Revision) -> int:
    """Its percent of the traffic."""
    return Route.objects.filter(revision=revision).values_list("weight", flat=True).first() or 0


def _without(deployment: Deployment, canary: Revision) -> dict[Revision, int]:
    """The routes with a canary's share given to what is wanted, or to the largest where that is not ready yet."""
    routes = Route.objects.filter(deployment=deployment).exclude(revision=canary).select_related("revision")
    left = {route.revision: route.weight for route in routes}
    wanted = deployment.wanted
    if wanted is not None and (wanted in left or (not left and wanted.state == RevisionState.READY)):
        heir = wanted
    elif left:
        heir = max(left, key=lambda each: left[each])
    else:
        raise Conflict(f"Nothing else of {deployment.name} is ready, so the canary has to go on for now.")
    return left | {heir: left.get(heir, 0) + 100 - sum(left.values())}


def _settle(deployment: Deployment, revision: Revision) -> None:
    deployment.dismissed_id = decided_against(deployment, revision.version_id)
    deployment.wanted, deployment.updated_ms = revision, now_ms()
    deployment.config = config_of(revision)
    if deployment.proposed_id == revision.version_id:
        deployment.proposed = None
    deployment.save(update_fields=["wanted", "config", "proposed", "dismissed", "updated_ms"])
    Revision.objects.filter(pk=revision.pk).update(is_canary=False)


def _require_ready(deployment: Deployment, number: int, revision: Revision | None) -> None:
    if revision is None:
        raise InvalidInput(f"{deployment.name} has no revision {number}.")
    if revision.state != RevisionState.READY:
        raise Conflict(f"Revision {number} of {deployment.name} is not ready: {revision.state}.")
