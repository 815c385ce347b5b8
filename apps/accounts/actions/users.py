from __future__ import annotations

from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction

from apps.accounts import events, throttling
from apps.accounts.actions.common import user_subject, validate, validate_new_password
from apps.accounts.actions.sessions import drop_sessions
from apps.accounts.actions.teams import add_member
from apps.accounts.epoch import forget_actors
from apps.accounts.models import Team, User
from apps.audit.actions import record
from apps.core.actor import Actor, Role
from apps.core.errors import AlreadyExists, BadRequest, Conflict, InvalidInput

_NO_SERVICE_ADMIN = "A service account can't administer the site."


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
    """A person, or with `is_service` an account that only holds tokens and belongs to `team`.

    Raises `AlreadyExists`, or `InvalidInput` for a name or password that the rules refuse.
    """
    if is_admin and is_service:
        raise InvalidInput(_NO_SERVICE_ADMIN)
    user = User(username=username, is_superuser=is_admin, is_staff=is_admin, is_service=is_service, home_team=team)
    validate(user)
    if password is not None:
        validate_new_password(password, user)
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
            after = {"is_admin": is_admin, "is_service": is_service}
            record(actor, events.USER_CREATED, user_subject(user, team if is_service else None), after=after)
            if team is not None:
                add_member(actor, team=team, user=user, role=role)
    except IntegrityError as error:
        raise AlreadyExists(f"User (username={username}) already exists.") from error
    return user


def change_password(actor: Actor, *, user: User, password: str, keep_session: str = "") -> None:
    """Set a new password and end every session but `keep_session`. Tokens stay."""
    if user.is_service:
        raise InvalidInput("Service accounts have no password; they sign in by token.")
    validate_new_password(password, user)
    user.set_password(password)
    with transaction.atomic():
        user.save(update_fields=["password"])
        drop_sessions(user, keep=keep_session)
        record(actor, events.PASSWORD_CHANGED, user_subject(user))
        forget_actors()
        # They were failures with another password.
        transaction.on_commit(partial(throttling.forget_failures, user.username))


def change_profile(actor: Actor, *, user: User, first_name: str, last_name: str, email: str) -> None:
    """The names and the mail address that others see."""
    fields = ("first_name", "last_name", "email")
    before = {field: getattr(user, field) for field in fields}
    after = dict(zip(fields, (first_name, last_name, email), strict=True))
    if before == after:
        return
    if email != user.email and not actor.is_admin and is_email_fixed():
        raise InvalidInput("The mail address is what people are known by at sign-in: an administrator changes it.")
    for field, value in after.items():
        setattr(user, field, value)
    validate(user)
    with transaction.atomic():
        user.save(update_fields=fields)
        record(actor, events.USER_CHANGED, user_subject(user), before=before, after=after)


def is_email_fixed() -> bool:
    """Whether who has a mail address is taken for its owner: then people may not give themselves that of another."""
    return settings.OIDC is not None and settings.OIDC.links_by_email


def set_active(actor: Actor, *, user: User, is_active: bool) -> None:
    """Disable an account, whose sessions end and whose tokens rest, or enable it again."""
    if user.is_active == is_active:
        return
    with transaction.atomic():
        if not is_active:
            _keep_an_administrator(user)
            drop_sessions(user)
        User.objects.filter(pk=user.pk).update(is_active=is_active)
        record(actor, events.USER_ENABLED if is_active else events.USER_DISABLED, user_subject(user))
        forget_actors()
    user.is_active = is_active


def set_admin(actor: Actor, *, user: User, is_admin: bool) -> None:
    """Make somebody an administrator of the site, or no longer one. The last one stays."""
    if user.is_superuser == is_admin:
        return
    if user.is_service:
        raise InvalidInput(_NO_SERVICE_ADMIN)
    with transaction.atomic():
        if not is_admin:
            _keep_an_administrator(user)
        User.objects.filter(pk=user.pk).update(is_superuser=is_admin, is_staff=is_admin)
        change = {"before": {"is_admin": not is_admin}, "after": {"is_admin": is_admin}}
        record(actor, events.ADMIN_CHANGED, user_subject(user), before=change["before"], after=change["after"])
        forget_actors()
    user.is_superuser = user.is_staff = is_admin


def delete_user(actor: Actor, *, user: User) -> None:
    """Remove an account with its tokens, roles and grants. What it made stays, without an owner."""
    if user.pk == actor.user_id:
        raise BadRequest("Users cannot delete their own account. Ask another admin to delete this user instead.")
    with transaction.atomic():
        _keep_an_administrator(user)
        subject = user_subject(user, user.home_team if user.is_service else None)
        drop_sessions(user)
        user.delete()
        record(actor, events.USER_DELETED, subject)
        forget_actors()


def _keep_an_administrator(user: User) -> None:
    """Raise unless somebody else administers the site; the rows are locked, so two can't leave at once."""
    admins = User.objects.select_for_update().filter(is_superuser=True, is_active=True)
    if set(admins.values_list("pk", flat=True)) == {user.pk}:
        raise Conflict(f"{user.username} is the last administrator of the site.")
