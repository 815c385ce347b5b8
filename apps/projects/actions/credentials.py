"""What a run's child comes to the server with."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.accounts import actions as accounts
from apps.accounts.tokens import TokenText
from apps.core.actor import Actor
from apps.core.errors import PermissionDenied
from apps.projects.actions.claiming import write_held
from apps.projects.models import ProjectRun, Trigger


def give_token(actor: Actor, *, run: ProjectRun, expires_at: datetime) -> TokenText:
    """A token for this attempt of a run that was fetched with owner and team; ended with the attempt.

    What an attempt before it was given ends here too. Raises `Fenced` where the run is somebody else's by now,
    `PermissionDenied` where its owner is gone or disabled.
    """
    owner = run.owner
    if owner is None or not owner.is_active:
        raise PermissionDenied(f"Permission denied: {run.owner_name}, whose run this is, is disabled or gone.")
    with transaction.atomic():
        before = run.token
        token, text = accounts.create_run_token(
            actor,
            user=owner,
            team=run.team,
            experiment_id=run.experiment_id,
            project_run_id=run.pk,
            project_id=run.project_id,
            name=f"project run {run.pk}",
            expires_at=expires_at,
            is_by_hook=_is_by_hook(run),
        )
        write_held(run, token=token)
        if before is not None:
            accounts.revoke_token(actor, token=before)
    return text


def _is_by_hook(run: ProjectRun) -> bool:
    """Whether a webhook started it, or whoever started it. One statement for each run above it."""
    above: ProjectRun | None = run
    while above is not None:
        if above.trigger == Trigger.WEBHOOK:
            return True
        above = above.parent
    return False
