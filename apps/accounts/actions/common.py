from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from apps.accounts.models import Team, Token, User
from apps.audit.actions import Subject
from apps.core.errors import InvalidInput

MAX_DESCRIPTION = 2000


def user_subject(user: User, team: Team | None = None) -> Subject:
    """A person as the subject of an event; with `team` where the event belongs to that team's log."""
    if team is None:
        return Subject("user", str(user.pk), user.username)
    return Subject("user", str(user.pk), user.username, team.pk, team.name)


def team_subject(team: Team) -> Subject:
    """A team as the subject of an event."""
    return Subject("team", str(team.pk), team.name, team.pk, team.name)


def validate(model: User | Team | Token) -> None:
    """Raise `InvalidInput` with the messages of the model's own rules."""
    if isinstance(model, Team) and len(model.description) > MAX_DESCRIPTION:
        raise InvalidInput(f"A description has at most {MAX_DESCRIPTION} characters.")
    try:
        model.full_clean(exclude=["password", "team", "home_team"], validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages)) from error


def validate_new_password(password: str, user: User) -> None:
    """Raise `InvalidInput` where the site's rules for passwords refuse it."""
    if not password.isprintable() or len(password) > 1024:
        raise InvalidInput("This password can't be used: it is too long, or holds a character that has no form.")
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages)) from error
