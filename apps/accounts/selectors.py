"""Reads that span several models: who holds which rights on what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from apps.accounts.authentication import actor_of_user
from apps.accounts.kinds import LEVEL_WORDS, Target, kind_of, known_kinds
from apps.accounts.models import Grant, Membership, Team, User
from apps.core.actor import Actor, Level, Role, Via

Granted = tuple[Grant, Target]


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason why somebody may do something with an object. `holder` is a person's or a team's name."""

    holder: str
    is_team: bool
    level: Level
    why: str

    @property
    def word(self) -> str:
        """The level, for pages."""
        return str(LEVEL_WORDS[self.level])


def grants_held_by_person(user: User) -> list[Granted]:
    """What was granted to the person by name; grants on objects that are gone are left out."""
    return _with_targets(Grant.objects.filter(user=user).order_by("kind", "object_id"))


def grants_held_by_team(team: Team) -> list[Granted]:
    """What was granted to the team as a whole."""
    return _with_targets(Grant.objects.filter(team=team).order_by("kind", "object_id"))


def grants_on(target: Target) -> list[Grant]:
    """Who was granted an object, people before teams. The caller has fetched `target` with the right to see this."""
    found = Grant.objects.filter(kind=target.kind, object_id=target.object_id)
    return list(found.select_related("user", "team").order_by("team__name", "user__username"))


def level_of_person(user: User, target: Target) -> Level:
    """What a person may do with an object, by role, grant or having made it."""
    if not user.is_active:
        return Level.NONE
    return kind_of(target.kind).level_of(actor_of_user(user, Via.SYSTEM), target)


def role_of_person(user: User, team_id: int) -> Role | None:
    """The role that an active person has in a team now; administrators of the site hold the highest."""
    return actor_of_user(user, Via.SYSTEM).role_in(team_id) if user.is_active else None


def level_by_role(user: User, target: Target) -> Level:
    """What the person's place in the owning team gives alone; a grant can add to it and never takes from it."""
    return actor_of_user(user, Via.SYSTEM).level_in(target.team_id)


def reasons_for(actor: Actor, target: Target) -> list[Reason]:
    """Everybody who may see an object and why; administrators of the site, who see everything, come last."""
    in_team = Membership.objects.filter(team_id=target.team_id, user__is_active=True).select_related("user")
    by_role = [_by_role(membership, target) for membership in in_team.order_by("user__username")]
    by_grant = [_by_grant(grant) for grant in grants_on(target)]
    admins = User.objects.filter(is_superuser=True, is_active=True)
    return by_role + by_grant + [Reason(user.username, False, Level.MANAGE, "administrator") for user in admins]


def _by_role(membership: Membership, target: Target) -> Reason:
    level = Role(membership.role).level
    made_it = membership.user_id == target.owner_id and level >= Level.EDIT
    why = "owner" if made_it else membership.role
    return Reason(membership.user.username, False, Level.MANAGE if made_it else level, why)


def _by_grant(grant: Grant) -> Reason:
    holder = grant.user.username if grant.user else str(grant.team)
    return Reason(holder, grant.team_id is not None, Level(grant.level), "grant")


def _with_targets(grants: Iterable[Grant]) -> list[Granted]:
    rows = list(grants)
    found = {
        kind: answers.by_ids(grant.object_id for grant in rows if grant.kind == kind)
        for kind, answers in known_kinds().items()
    }
    pairs = ((grant, found.get(grant.kind, {}).get(grant.object_id)) for grant in rows)  # type: ignore[call-overload]
    return [(grant, target) for grant, target in pairs if target is not None]
