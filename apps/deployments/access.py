"""Fetching is authorising: each function returns the object if the actor has the level, else raises.

Who may read a deployment may call it. Who may edit it deploys, shifts traffic, scales and rolls back. Who may manage it
changes what may be deployed there and who reaches it, and deletes it.
"""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, QuerySet

from apps.accounts.access import level_on, require
from apps.accounts.confinement import as_maker
from apps.accounts.models import ObjectKind, Team
from apps.core.actor import Actor, Level
from apps.core.errors import NotFound, PermissionDenied
from apps.core.keys import parse_key
from apps.deployments.models import Deployment, Instance, Revision

M = TypeVar("M", bound=Model)
_RELATED = ("team", "model__team", "owner", "wanted", "proposed__model__team")


def require_may_deploy(actor: Actor) -> None:
    """Raise `PermissionDenied` that says what is missing, unless the actor may make deployments in their team."""
    team = Team.objects.visible_to(actor).filter(pk=actor.team_id or 0).first()
    if team is None:
        raise PermissionDenied(
            "You are in no team, so there is nowhere to deploy to. An administrator adds you to one."
        )
    if actor.level_in(team.pk) < Level.EDIT:
        raise PermissionDenied(
            f"Deploying wants the role member in the team {team.name}, and you are a {actor.role_in(team.pk)} there:"
            " you may look at what it has, and call it."
        )


def get_deployment(actor: Actor, name: str, level: Level = Level.READ) -> Deployment:
    """By its name, whatever the case, with team, model, wanted revision and proposal."""
    missing = f"No deployment {name[:63]!r}."
    found = _deployments().filter(name__iexact=name) if "\x00" not in name else Deployment.objects.none()
    return _checked(actor, _first(found, missing), level, missing)


def get_deployment_by_key(actor: Actor, key: str | int, level: Level = Level.READ) -> Deployment:
    """By its number, as grants have it."""
    missing = f"No deployment {str(key)[:20]}."
    return _checked(actor, _first(_deployments().filter(pk=parse_key(str(key)) or 0), missing), level, missing)


def get_revision(actor: Actor, deployment: Deployment, number: str | int) -> Revision:
    """A revision of a deployment that was fetched with the level that is needed, with version, model and build."""
    missing = f"{deployment.name} has no revision {str(number)[:20]}."
    found = Revision.objects.visible_to(actor).filter(deployment=deployment, number=parse_key(str(number)) or 0)
    revision = _first(found.select_related("version__model__team", "build"), missing)
    revision.deployment = deployment
    return revision


def get_instance(actor: Actor, deployment: Deployment, key: str | int) -> Instance:
    """An instance of a deployment that was fetched with the level that is needed, with its revision."""
    missing = f"{deployment.name} has no instance {str(key)[:20]}."
    found = Instance.objects.visible_to(actor).filter(revision__deployment=deployment, pk=parse_key(str(key)) or 0)
    return _first(found.select_related("revision"), missing)


def level_of_deployment(actor: Actor, deployment: Deployment) -> Level:
    """The level by role, grant or having made it."""
    held = level_on(actor, ObjectKind.DEPLOYMENT, deployment.pk, deployment.team_id)
    return as_maker(actor, deployment.owner_id, held)


def require_level(actor: Actor, deployment: Deployment, level: Level, missing: str = "") -> None:
    """Raise unless the actor holds the level on a deployment that was fetched."""
    if actor.level_in(deployment.team_id) >= level:
        return
    doing = f"{level.word} the deployment {deployment.name}"
    missing = missing or f"No deployment {deployment.name!r}."
    require(level_of_deployment(actor, deployment), level, missing=missing, doing=doing)


def _checked(actor: Actor, deployment: Deployment, level: Level, missing: str) -> Deployment:
    require_level(actor, deployment, level, missing)
    return deployment


def _deployments() -> QuerySet[Deployment]:
    return Deployment.objects.select_related(*_RELATED)


def _first(found: QuerySet[M], missing: str) -> M:
    row = found.first()
    if row is None:
        raise NotFound(missing)
    return row
