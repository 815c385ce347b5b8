"""What an export writes here: that it was, in the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from apps.accounts.access import require_admin
from apps.accounts.models import Team
from apps.audit.actions import Subject, record
from apps.core.actor import Actor
from apps.exports import events


def begin_export(actor: Actor, *, team: Team, place: str, chosen: Mapping[str, Any]) -> None:
    """Say that a team's things leave, before the first of them does. `place` is without a password."""
    require_admin(actor)
    with transaction.atomic():
        record(actor, events.TEAM_EXPORTED, _subject(team), after={"to": place, **chosen}, note=place)


def end_export(actor: Actor, *, team: Team, place: str, done: Mapping[str, Any]) -> None:
    """Say how it ended. One that broke off has no end."""
    require_admin(actor)
    with transaction.atomic():
        record(actor, events.EXPORT_ENDED, _subject(team), after={"to": place, **done}, note=place)


def _subject(team: Team) -> Subject:
    return Subject("team", str(team.pk), team.name, team.pk, team.name)
