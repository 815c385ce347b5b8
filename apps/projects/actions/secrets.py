"""Secrets of teams: sealed when they are set, opened for a run that names them, shown to nobody."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from apps.accounts.confinement import owner_in_team
from apps.accounts.models import Team, User
from apps.accounts.selectors import role_of_person
from apps.audit.actions import Subject, record
from apps.core.actor import Actor, Role
from apps.core.encryption import Resealed, reseal_rows, seal, unseal
from apps.core.errors import AlreadyExists, Conflict, InvalidInput, PermissionDenied
from apps.projects import events
from apps.projects.actions.common import now_ms
from apps.projects.asking.variables import MAX_SECRETS_BYTES, check_secret_name, check_secret_value
from apps.projects.models import ProjectRun, Secret

MAX_DESCRIPTION = 500
MOST_OF_A_TEAM = 500


def set_secret(
    actor: Actor, *, team: Team, name: str, value: str, description: str | None = None, replaces: bool = True
) -> tuple[Secret, bool]:
    """Make a secret of a team, or give it another value; whether it is new. `description` None: as it was.

    Raises `InvalidInput` for a name or value that can't be a variable's, `AlreadyExists` where it is there and nothing
    may be replaced, `Conflict` for more than a team may have.
    """
    check_secret_name(name)
    check_secret_value(value)
    if description is not None and (len(description) > MAX_DESCRIPTION or "\x00" in description):
        raise InvalidInput(f"A description has at most {MAX_DESCRIPTION} characters, and none that can't be kept.")
    now = now_ms()
    fresh = {"sealed": seal(value), "updated_ms": now, "updated_by": actor.username}
    fresh |= {} if description is None else {"description": description.strip()}
    with transaction.atomic():
        # One after the other, so that they can be counted.
        Team.objects.select_for_update(no_key=True).get(pk=team.pk)
        if not replaces and Secret.objects.filter(team=team, name=name).exists():
            raise AlreadyExists(f"{team.name} has a secret {name}: give that one another value.")
        secret, is_new = Secret.objects.update_or_create(
            team=team, name=name, defaults=fresh, create_defaults={**fresh, "created_ms": now}
        )
        if is_new and Secret.objects.filter(team=team).count() > MOST_OF_A_TEAM:
            raise Conflict(f"A team has at most {MOST_OF_A_TEAM} secrets.")
        record(actor, events.SECRET_SET, _subject(secret, team), after={"is_new": is_new})
    return secret, is_new


def delete_secret(actor: Actor, *, secret: Secret) -> None:
    """Remove a secret for good. Runs that name it and have not begun will fail, and say so."""
    with transaction.atomic():
        subject = _subject(secret, secret.team)
        if Secret.objects.filter(pk=secret.pk).delete()[0]:
            record(actor, events.SECRET_DELETED, subject)


def require_use(actor: Actor, *, run: ProjectRun) -> None:
    """Raise unless the actor may have a run of a team, not stored yet, given the secrets that it names.

    Members of the team may; a project run hands on what it was given itself, and no more. `InvalidInput` for one that
    isn't there.
    """
    if not run.secrets:
        return
    _require_member(owner_in_team(actor).role_in(run.team_id), actor.username, run.team)
    if actor.confined is not None:
        _require_handed_on(actor.confined.project_run_id, run)
    known = set(Secret.objects.filter(team_id=run.team_id, name__in=run.secrets).values_list("name", flat=True))
    _refuse_missing(run, known)


def require_naming(actor: Actor, *, team: Team, names: Collection[str]) -> None:
    """Raise unless the actor may have runs of others in a team given secrets by name: its members may."""
    if names:
        _require_member(actor.role_in(team.pk), actor.username, team)


def secrets_for(run: ProjectRun) -> dict[str, str]:
    """The secrets that a run names, in the clear, for its child; notes that they were used. Three statements.

    Raises `PermissionDenied` where the owner is no member of the team any more, `InvalidInput` for one that is gone and
    for more than a child can be given, `Conflict` for one that no key of this server opens.
    """
    if not run.secrets:
        return {}
    owner = User.objects.filter(pk=run.owner_id or 0, is_active=True).first()
    _require_member(role_of_person(owner, run.team_id) if owner else None, run.owner_name, run.team)
    rows = Secret.objects.filter(team_id=run.team_id, name__in=run.secrets)
    sealed = dict(rows.values_list("name", "sealed"))
    _refuse_missing(run, set(sealed))
    opened = {name: unseal(sealed[name]) for name in run.secrets}
    if sum(len(name) + len(value.encode()) for name, value in opened.items()) > MAX_SECRETS_BYTES:
        raise InvalidInput(f"The secrets of a run are at most {MAX_SECRETS_BYTES // 1024} KB together.")
    rows.update(used_ms=now_ms())
    return opened


def reseal_secrets(actor: Actor) -> Resealed:
    """Seal all secrets with the newest key of the server."""
    resealed = reseal_rows(Secret.objects.all(), "sealed")
    with transaction.atomic():
        record(actor, events.SECRETS_RESEALED, Subject("secret", "", ""), after={"count": resealed.count})
    return resealed


def _require_member(role: Role | None, username: str, team: Team) -> None:
    if role is None or role is Role.VIEWER:
        raise PermissionDenied(
            f"Permission denied: the secrets of {team.name} are for runs of its members, and {username} is none."
        )


def _require_handed_on(parent_id: int, run: ProjectRun) -> None:
    given = ProjectRun.objects.filter(pk=parent_id, team_id=run.team_id).values_list("secrets", flat=True).first() or []
    if more := sorted(set(run.secrets) - set(given)):
        raise PermissionDenied(f"Permission denied: a run hands on the secrets that it was given, not {more[0][:100]}.")


def _refuse_missing(run: ProjectRun, known: set[str]) -> None:
    if missing := sorted(set(run.secrets) - known):
        raise InvalidInput(f"The team {run.team.name} has no secret '{missing[0][:100]}'.")


def _subject(secret: Secret, team: Team) -> Subject:
    return Subject("secret", str(secret.pk), secret.name, team.pk, team.name)
