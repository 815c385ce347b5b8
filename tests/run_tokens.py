"""Tokens of project runs, as the server makes them when an attempt starts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from apps.accounts import actions
from apps.accounts.models import Team, Token
from apps.core.actor import system_actor
from tests.personas import Persona


@dataclass(frozen=True)
class Bearer(Persona):
    """A project run that calls the server; `row` is its token."""

    row: Token = None  # type: ignore[assignment]


def run_token(
    owner: Persona,
    team: Team,
    experiment_id: str | int | None,
    *,
    project_run_id: int = 1,
    project_id: int | None = None,
    expires_at: datetime | None = None,
    **more: Any,
) -> Bearer:
    """A run of the owner's in the team, which logs into one experiment."""
    row, text = actions.create_run_token(
        system_actor(),
        user=owner.user,
        team=team,
        experiment_id=None if experiment_id is None else int(experiment_id),
        project_run_id=project_run_id,
        project_id=project_id,
        name=f"project run {project_run_id}",
        expires_at=expires_at or timezone.now() + timedelta(hours=1),
        **more,
    )
    return Bearer(owner.user, str(text), row)
