"""Stores the stories of deployments through the actions that people use; what a supervisor observes is written here.

All of them are stopped: the demo's models are stories too, and a host that serves would start what is not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from django.db import transaction

from apps.accounts.authentication import actor_of_user
from apps.accounts.models import Team, User
from apps.core.actor import Actor, Via
from apps.deployments import actions
from apps.deployments.actions.common import now_ms
from apps.deployments.actions.traffic import set_routes
from apps.deployments.configuration import Config
from apps.deployments.demo.stories import DEPLOYMENTS, DemoDeployment, DemoRevision
from apps.deployments.histogram import BOUNDS_MS, COLUMNS
from apps.deployments.models import Deployment, Revision, RevisionState, TrafficMinute
from apps.registry.models import ModelVersion

_HOUR_MS = 3_600_000
_MINUTES = 26 * 60
_STOPPED = "The demo's models are stories: start it, and its page shows why that can't be made ready."


@dataclass
class Told:
    """How much was made."""

    deployments: int = 0
    revisions: int = 0


def tell() -> Told:
    """Make what is missing of the deployments of the demo teams, whose models are there. Whole ones or nothing."""
    told = Told()
    for story in DEPLOYMENTS:
        team = Team.objects.get(name=story.team)
        versions = ModelVersion.objects.filter(model__team=team, model__name=story.model)
        found = {version.number: version for version in versions.select_related("model__team")}
        wanted = {revision.version for revision in story.revisions}
        if wanted <= found.keys() and not Deployment.objects.filter(name=story.name).exists():
            _tell(team, story, found, told)
    return told


@transaction.atomic
def _tell(team: Team, story: DemoDeployment, versions: dict[int, ModelVersion], told: Told) -> None:
    first, *later = story.revisions
    deployment = actions.create_deployment(
        _actor(story.maker, team),
        name=story.name,
        version=versions[first.version],
        config=Config.from_json(first.config),
        description=story.description,
    )
    _observe(deployment, first, 1)
    for number, plan in enumerate(later, 2):
        actions.deploy_version(
            _actor(plan.who, team),
            deployment=deployment,
            version=versions[plan.version],
            config=Config.from_json(plan.config),
            reason=plan.reason,
            canary=plan.is_canary,
        )
        _observe(deployment, plan, number)
    maker = _actor(story.maker, team)
    actions.set_rules(maker, deployment=deployment, follow=story.follow, stages=story.stages)
    actions.stop_deployment(maker, deployment=deployment, reason=_STOPPED)
    _split(deployment, story)
    since = now_ms() - int(first.hours * _HOUR_MS)
    Deployment.objects.filter(pk=deployment.pk).update(created_ms=since)
    told.deployments += 1
    told.revisions += len(story.revisions)


def _observe(deployment: Deployment, plan: DemoRevision, number: int) -> None:
    """What a supervisor would have written by now."""
    made = now_ms() - int(plan.hours * _HOUR_MS)
    values: dict[str, object] = {"created_ms": made, "state_ms": made + 40_000}
    if plan.failed:
        values |= {"state": RevisionState.FAILED, "message": plan.failed}
    else:
        values |= {"state": RevisionState.STOPPED, "ready_ms": made + 40_000}
    Revision.objects.filter(deployment=deployment, number=number).update(**values)
    revision = Revision.objects.get(deployment=deployment, number=number)
    if not plan.failed:
        # So that a canary has something to be compared with.
        set_routes(deployment, {revision: 100})
    TrafficMinute.objects.bulk_create(_traffic(revision, plan), batch_size=200)


def _split(deployment: Deployment, story: DemoDeployment) -> None:
    numbers = {number: plan.weight for number, plan in enumerate(story.revisions, 1) if plan.weight}
    found = Revision.objects.filter(deployment=deployment, number__in=list(numbers))
    set_routes(deployment, {revision: numbers[revision.number] for revision in found})


def _traffic(revision: Revision, plan: DemoRevision) -> Iterator[TrafficMinute]:
    """More by day than by night, and a little noise."""
    random = np.random.default_rng(revision.number + len(revision.model_name))
    now = now_ms() // 60_000
    first = max(now - _MINUTES, int(now - plan.hours * 60) + 2)
    for minute in range(first, now) if plan.weight else ():
        of_day = 0.25 + 0.75 * max(0.0, math.sin(math.pi * (minute % 1440) / 1440))
        requests = int(random.poisson(plan.rate * 60 * of_day))
        took = plan.median_ms * random.lognormal(0, 0.5, requests)
        counts = np.bincount(np.searchsorted(BOUNDS_MS, took), minlength=len(COLUMNS))
        if requests:
            yield TrafficMinute(
                revision=revision,
                minute=minute,
                requests=requests,
                client_errors=int(random.binomial(requests, 0.004)),
                server_errors=int(random.binomial(requests, plan.failing / 1000)),
                total_ms=float(took.sum()),
                **{column: int(count) for column, count in zip(COLUMNS, counts, strict=True)},
            )


def _actor(username: str, team: Team) -> Actor:
    return actor_of_user(User.objects.get(username=username), Via.SESSION).speaking_for(team.pk)
