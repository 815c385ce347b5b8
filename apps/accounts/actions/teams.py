from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from apps.accounts import events
from apps.accounts.actions.common import team_subject, user_subject, validate
from apps.accounts.epoch import forget_actors
from apps.accounts.kinds import empty_team
from apps.accounts.models import DEFAULT_TEAM, Membership, Team, User
from apps.audit.actions import record
from apps.core.actor import Actor, Role
from apps.core.errors import AlreadyExists, Conflict, InvalidInput, NotFound


def create_team(actor: Actor, *, name: str, description: str = "") -> Team:
    """A new team; its experiment `Default` is made on first use. Raises `AlreadyExists`, `InvalidInput`."""
    team = Team(name=name, description=description)
    validate(team)
    try:
        with transaction.atomic():
            team.save()
            record(actor, events.TEAM_CREATED, team_subject(team), after={"description": description})
            forget_actors()
    except IntegrityError as error:
        raise AlreadyExists(f"Workspace '{name}' already exists.") from error
    return team


def describe_team(actor: Actor, *, team: Team, description: str) -> None:
    """Change the description. The name stays: scripts and URLs hold it."""
    before = team.description
    if before == description:
        return
    team.description = description
    validate(team)
    with transaction.atomic():
        team.save(update_fields=["description"])
        change = {"before": {"description": before}, "after": {"description": description}}
        record(actor, events.TEAM_DESCRIBED, team_subject(team), before=change["before"], after=change["after"])


def delete_team(actor: Actor, *, team: Team) -> None:
    """Remove a team that owns nothing, with its service accounts. Raises `Conflict` while it holds something."""
    if team.name == DEFAULT_TEAM:
        raise InvalidInput(f"The '{DEFAULT_TEAM}' workspace is reserved and cannot be deleted")
    subject = team_subject(team)
    try:
        with transaction.atomic():
            empty_team(team.pk)
            services = User.objects.filter(is_service=True, home_team=team)
            for user in services:
                record(actor, events.USER_DELETED, user_subject(user, team))
            services.delete()
            team.delete()
            record(actor, events.TEAM_DELETED, subject)
            forget_actors()
    except ProtectedError as error:
        kinds = sorted({str(row._meta.verbose_name_plural) for row in error.protected_objects})
        message = f"Cannot delete workspace '{team.name}': it still holds {', '.join(kinds)}."
        raise Conflict(f"{message} Remove or reassign them before deleting the workspace.") from error


def add_member(actor: Actor, *, team: Team, user: User, role: Role) -> Membership:
    """Put somebody in a team, in a role. Raises `AlreadyExists`."""
    try:
        with transaction.atomic():
            membership = Membership.objects.create(team=team, user=user, role=role)
            User.objects.filter(pk=user.pk, home_team__isnull=True).update(home_team=team)
            record(actor, events.MEMBER_ADDED, user_subject(user, team), after={"role": role})
            forget_actors()
    except IntegrityError as error:
        raise AlreadyExists(f"{user.username} is in the team {team.name} already.") from error
    return membership


def set_role(actor: Actor, *, team: Team, user: User, role: Role) -> Membership:
    """Give a member another role. Raises `NotFound` for somebody who is no member."""
    with transaction.atomic():
        membership = _membership(team, user)
        before = membership.role
        if before != role:
            membership.role = role
            membership.save(update_fields=["role"])
            subject = user_subject(user, team)
            record(actor, events.MEMBER_CHANGED, subject, before={"role": before}, after={"role": role})
            forget_actors()
    return membership


def remove_member(actor: Actor, *, team: Team, user: User) -> None:
    """Take somebody out of a team. Raises `NotFound`; a service account can't leave the team that owns it."""
    if user.is_service and user.home_team_id == team.pk:
        raise Conflict(f"{user.username} is a service account of this team; delete it instead.")
    with transaction.atomic():
        membership = _membership(team, user)
        before = membership.role
        membership.delete()
        if user.home_team_id == team.pk:
            other = Membership.objects.filter(user=user).order_by("pk").values_list("team_id", flat=True).first()
            User.objects.filter(pk=user.pk).update(home_team_id=other)
        record(actor, events.MEMBER_REMOVED, user_subject(user, team), before={"role": before})
        forget_actors()


def _membership(team: Team, user: User) -> Membership:
    found = Membership.objects.select_for_update().filter(team=team, user=user).first()
    if found is None:
        raise NotFound(f"{user.username} is not in the team {team.name}.")
    return found
