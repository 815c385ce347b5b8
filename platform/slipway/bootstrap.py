"""What the first start makes: the team `default`, its experiment 0 and the administrator."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import transaction

from apps.accounts import actions as accounts
from apps.accounts.models import DEFAULT_TEAM, Team, User
from apps.core.actor import Role, system_actor
from apps.experiments.actions import default_experiment_id
from slipway import env


def first_start() -> str | None:
    """Make what is missing. Returns the administrator's random password where one was made, to be shown once."""
    actor = system_actor()
    with transaction.atomic():
        team = Team.objects.filter(name=DEFAULT_TEAM).first()
        if team is None:
            team = accounts.create_team(actor, name=DEFAULT_TEAM, description="The first team.")
        default_experiment_id(actor.speaking_for(team.pk))
        if User.objects.filter(is_superuser=True).exists():
            return None
        given = env.text("SLIPWAY_ADMIN_PASSWORD")
        # None is shown that is no good: the first sign-in is by the provider, or by a link of the command.
        password = given or (secrets.token_urlsafe(15) if settings.PASSWORD_SIGN_IN else None)
        accounts.create_user(
            actor, username=settings.ADMIN_USERNAME, password=password, is_admin=True, team=team, role=Role.ADMIN
        )
    return None if given else password
