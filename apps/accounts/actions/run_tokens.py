"""The tokens that project runs are given: made when an attempt starts, ended in the transaction that ends it.

No events tell of them: what starts and ends a run does, in the same transactions.
"""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from apps.accounts.epoch import forget_token
from apps.accounts.models import Team, Token, User
from apps.accounts.tokens import TokenText
from apps.core.actor import Actor
from apps.core.errors import InvalidInput, PermissionDenied


def create_run_token(
    actor: Actor,
    *,
    user: User,
    team: Team,
    experiment_id: int | None,
    project_run_id: int,
    name: str,
    expires_at: datetime,
    project_id: int | None = None,
    is_by_hook: bool = False,
) -> tuple[Token, TokenText]:
    """A token with which a run of `user` may what `apps.accounts.confinement` says, and its text, kept nowhere.

    Only the server makes one. Raises `InvalidInput` for one that would have ended already.
    """
    if actor.user_id is not None:
        raise PermissionDenied("Permission denied: the server makes the tokens of project runs.")
    if expires_at <= timezone.now():
        raise InvalidInput("The token would have ended already.")
    text = TokenText.new()
    token = Token.objects.create(
        user=user,
        team=team,
        name=name[:100],
        key_id=text.key_id,
        digest=text.digest(),
        scopes="",
        expires_at=expires_at,
        project_run_id=project_run_id,
        experiment_id=experiment_id,
        project_id=project_id,
        is_by_hook=is_by_hook,
    )
    return token, text


def end_run_token(*, token_id: int) -> None:
    """End a run's token at once. Ending twice, and one that is gone, change nothing."""
    token = Token.objects.filter(pk=token_id, project_run_id__isnull=False, revoked_at__isnull=True)
    key_id = token.values_list("key_id", flat=True).first()
    if key_id is not None:
        token.update(revoked_at=timezone.now())
        forget_token(key_id)
