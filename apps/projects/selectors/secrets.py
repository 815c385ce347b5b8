"""Which secrets a team has: names and what is known about them, never a value."""

from __future__ import annotations

from apps.core.actor import Actor, Role
from apps.projects.models import Secret
from apps.projects.querysets import SecretQuerySet


def secrets_of(actor: Actor, team_id: int | None) -> SecretQuerySet:
    """The secrets of a team that the actor may name, without what is sealed."""
    found: SecretQuerySet = Secret.objects.visible_to(actor).filter(team_id=team_id or 0)
    return found.defer("sealed").order_by("name")


def may_set(actor: Actor, team_id: int | None) -> bool:
    """Whether the actor sets the secrets of a team: its maintainers and administrators do."""
    return team_id is not None and actor.role_in(team_id) in (Role.MAINTAINER, Role.ADMIN)
