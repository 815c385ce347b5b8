from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from apps.accounts import events
from apps.accounts.authentication import forget_actors
from apps.accounts.models import Membership, Team, Token, User
from apps.accounts.tokens import TokenText
from apps.audit.actions import Subject, record
from apps.core.actor import Actor, Role, Scope
from apps.core.errors import AlreadyExists, InvalidInput


def create_team(actor: Actor, *, name: str, description: str = "") -> Team:
    """A new team, with its experiment `Default` made on first use. Raises `AlreadyExists`, `InvalidInput`."""
    team = Team(name=name, description=description)
    _validate(team)
    if Team.objects.filter(name=name).exists():
        raise AlreadyExists(f"Workspace '{name}' already exists.")
    with transaction.atomic():
        team.save()
        record(actor, events.TEAM_CREATED, _team_subject(team), after={"description": description})
        forget_actors()
    return team


def create_user(
    actor: Actor,
    *,
    username: str,
    password: str | None,
    is_admin: bool = False,
    is_service: bool = False,
    team: Team | None = None,
    role: Role = Role.MEMBER,
) -> User:
    """A person, or with `is_service` an account that only holds tokens. Raises `AlreadyExists`, `InvalidInput`."""
    user = User(username=username, is_superuser=is_admin, is_staff=is_admin, is_service=is_service, home_team=team)
    _validate(user, password)
    if User.objects.filter(username=username).exists():
        raise AlreadyExists(f"User (username={username}) already exists.")
    user.set_password(password)
    with transaction.atomic():
        user.save()
        subject = Subject("user", str(user.pk), username)
        record(actor, events.USER_CREATED, subject, after={"is_admin": is_admin, "is_service": is_service})
        if team is not None:
            add_member(actor, team=team, user=user, role=role)
    return user


def add_member(actor: Actor, *, team: Team, user: User, role: Role) -> Membership:
    """Put somebody in a team, in a role."""
    with transaction.atomic():
        membership = Membership.objects.create(team=team, user=user, role=role)
        subject = Subject("user", str(user.pk), user.username, team.pk, team.name)
        record(actor, events.MEMBER_ADDED, subject, after={"role": role})
        forget_actors()
    return membership


def create_token(
    actor: Actor,
    *,
    user: User,
    name: str,
    team: Team | None = None,
    scopes: Iterable[Scope] = (Scope.ALL,),
    expires_at: datetime | None = None,
) -> tuple[Token, TokenText]:
    """A new token and its text, which is nowhere kept and can't be shown again."""
    text = TokenText.new()
    scope_text = " ".join(sorted(scopes))
    with transaction.atomic():
        token = Token.objects.create(
            user=user,
            team=team or user.home_team,
            name=name,
            key_id=text.key_id,
            digest=text.digest(),
            scopes=scope_text,
            expires_at=expires_at,
        )
        after = {"user": user.username, "scopes": scope_text, "expires_at": expires_at}
        record(actor, events.TOKEN_CREATED, Subject("token", str(token.pk), name), after=after)
    return token, text


def revoke_token(actor: Actor, *, token: Token) -> None:
    """End a token at once. Revoking twice changes nothing."""
    with transaction.atomic():
        if not Token.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=timezone.now()):
            return
        record(actor, events.TOKEN_REVOKED, Subject("token", str(token.pk), token.name))
        forget_actors()


def _team_subject(team: Team) -> Subject:
    return Subject("team", str(team.pk), team.name, team.pk, team.name)


def _validate(model: User | Team, password: str | None = None) -> None:
    try:
        model.full_clean(exclude=["password"], validate_unique=False, validate_constraints=False)
        if password is not None:
            validate_password(password, model if isinstance(model, User) else None)
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages)) from error
