from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from apps.accounts import events
from apps.accounts.access import may_manage_service
from apps.accounts.actions.common import validate
from apps.accounts.actions.run_tokens import end_run_token
from apps.accounts.epoch import forget_actors
from apps.accounts.models import Team, Token, User
from apps.accounts.tokens import TokenText
from apps.audit.actions import Subject, record
from apps.core.actor import Actor, Scope
from apps.core.errors import Conflict, InvalidInput, PermissionDenied

OVERLAP = timedelta(hours=24)
LONGEST_LIFE = timedelta(days=3650)


def create_token(
    actor: Actor,
    *,
    user: User,
    name: str,
    team: Team | None = None,
    scopes: Iterable[Scope] = (Scope.ALL,),
    expires_at: datetime | None = None,
) -> tuple[Token, TokenText]:
    """A new token and its text, which is nowhere kept and can't be shown again.

    `team` is the one that its calls speak for unless they name another: one of the owner's, by default the home team.
    """
    text = TokenText.new()
    token = Token(user=user, team=team or user.home_team, name=name, scopes=_scope_text(scopes), expires_at=expires_at)
    token.key_id, token.digest = text.key_id, text.digest()
    _refuse_what_is_not_to_be(actor, token)
    with transaction.atomic():
        token.save()
        after = {"user": user.username, "scopes": token.scopes, "expires_at": expires_at}
        record(actor, events.TOKEN_CREATED, _subject(token), after=after)
    return token, text


def rotate_token(actor: Actor, *, token: Token, overlap: timedelta = OVERLAP) -> tuple[Token, TokenText]:
    """A new token like this one; the old one ends after `overlap`, so that scripts have time to change over.

    Raises `Conflict` for one that has ended.
    """
    now = timezone.now()
    with transaction.atomic():
        # Read again under a lock: what is revoked meanwhile gets no heir.
        token = Token.objects.select_related("user", "team").select_for_update(of=("self",)).get(pk=token.pk)
        if token.is_of_run:
            raise Conflict("The token of a project run ends with it, and has no heir.")
        if not token.is_live:
            raise Conflict("This token has ended already.")
        lifetime = min(token.expires_at - token.created_at, LONGEST_LIFE) if token.expires_at else None
        fresh, text = create_token(
            actor,
            user=token.user,
            name=token.name,
            team=token.team,
            scopes=token.scope_set,
            expires_at=now + lifetime if lifetime else None,
        )
        ends_at = min(token.expires_at or now + overlap, now + overlap)
        Token.objects.filter(pk=token.pk).update(expires_at=ends_at)
        record(actor, events.TOKEN_ROTATED, _subject(token), after={"ends_at": ends_at, "replaced_by": fresh.key_id})
        forget_actors()
    return fresh, text


def revoke_token(actor: Actor, *, token: Token) -> None:
    """End a token at once. Revoking twice changes nothing."""
    if token.is_of_run:
        end_run_token(token_id=token.pk)
        return
    with transaction.atomic():
        if not Token.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=timezone.now()):
            return
        record(actor, events.TOKEN_REVOKED, _subject(token))
        forget_actors()


def _refuse_what_is_not_to_be(actor: Actor, token: Token) -> None:
    if Scope.ALL not in actor.scopes:
        raise PermissionDenied("Permission denied: a token of limited scope can't make tokens.")
    if actor.user_id not in (None, token.user_id) and not may_manage_service(actor, token.user):
        raise PermissionDenied("Permission denied: people make their own tokens.")
    if Scope.METRICS in token.scope_set and not token.user.is_superuser:
        raise PermissionDenied(
            "Permission denied: a token of the scope metrics is an administrator's, since it reads of all teams."
        )
    if not token.name.strip():
        raise InvalidInput("A token wants a name that says what it is for.")
    if token.expires_at is not None and token.expires_at <= timezone.now():
        raise InvalidInput("The token would have ended already.")
    if token.expires_at is not None and token.expires_at > timezone.now() + LONGEST_LIFE:
        raise InvalidInput(f"A token that ends does so within {LONGEST_LIFE.days} days.")
    team = token.team
    if team is not None and not (token.user.is_superuser or token.user.memberships.filter(team=team).exists()):
        raise InvalidInput(f"{token.user.username} is not in the team {team.name}.")
    validate(token)


def _scope_text(scopes: Iterable[Scope]) -> str:
    wanted = set(scopes)
    if not wanted:
        raise InvalidInput("A token wants at least one scope.")
    return Scope.ALL.value if Scope.ALL in wanted else " ".join(sorted(wanted))


def _subject(token: Token) -> Subject:
    return Subject("token", str(token.pk), token.name)
