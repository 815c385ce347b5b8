from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from apps.accounts.models import Team
from apps.core.actor import Level


def portal(request: HttpRequest) -> dict[str, Any]:
    """What the frame of every page shows: the actor, the team spoken for, whether one may add to it, and all teams."""
    actor = getattr(request, "actor", None)
    site = {"slipway_version": settings.SLIPWAY_VERSION, "takes_passwords": settings.PASSWORD_SIGN_IN}
    if actor is None:
        return {"actor": None, **site}
    teams = list(Team.objects.visible_to(actor))
    return {
        "actor": actor,
        "teams": teams,
        "current_team": next((team for team in teams if team.pk == actor.team_id), None),
        "may_add": actor.team_id is not None and actor.level_in(actor.team_id) >= Level.EDIT,
        "no_login": settings.NO_LOGIN,
        **site,
    }
