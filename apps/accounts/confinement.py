"""What the token of a project run may: a part of its owner's rights, as they are now, and nothing more.

The part is its experiment and its project, each up to `EDIT`, and its team's registered models with what was granted
there, up to `EDIT`. All else it does not see. `apps.accounts.access` asks here for callers that are confined; that
whoever made an object may manage it, is not true of a run that speaks for them (`as_maker`).
"""

from __future__ import annotations

from dataclasses import replace

from django.db.models import Q

from apps.accounts.models import ObjectKind
from apps.core.actor import Actor, Confinement, Level, Role

MOST = Level.EDIT


def owner_behind(actor: Actor, kind: ObjectKind) -> Actor | None:
    """The owner as far as a run is let act for them on objects of a kind; None: on none. For others, themselves."""
    if actor.confined is None:
        return actor
    match kind:
        case ObjectKind.EXPERIMENT | ObjectKind.PROJECT:
            return _with_all_rights(actor, actor.confined)
        case ObjectKind.REGISTERED_MODEL:
            return owner_in_team(actor)
        case _:
            return None


def owner_in_team(actor: Actor) -> Actor:
    """The owner as a member of the run's team alone, with the owner's role there. For others, themselves."""
    if actor.confined is None:
        return actor
    owner = _with_all_rights(actor, actor.confined)
    role = owner.role_in(actor.team_id) if actor.team_id is not None else None
    roles = {actor.team_id: role} if actor.team_id is not None and role is not None else {}
    return replace(owner, is_admin=False, roles=roles)


def creator(actor: Actor) -> Actor:
    """Who makes something new in the team: a run does so as a member at most. For others, themselves."""
    owner = owner_in_team(actor)
    if actor.confined is None or not owner.roles:
        return owner
    return replace(
        owner, roles={team: min(role, Role.MEMBER, key=list(Role).index) for team, role in owner.roles.items()}
    )


def reaches(actor: Actor, kind: ObjectKind, object_id: int) -> bool:
    """Whether an object is one that a confined caller may ask about at all."""
    return not (is_pinned(kind) and object_id != _pinned_id(actor, kind))


def pinned(actor: Actor, kind: ObjectKind, prefix: str = "") -> Q:
    """The condition for "a confined caller may ask about it". `prefix` is the path to the object."""
    if not is_pinned(kind):
        return Q()
    object_id = _pinned_id(actor, kind)
    return Q(pk__in=[]) if object_id is None else Q(**{f"{prefix}pk": object_id})


def is_pinned(kind: ObjectKind) -> bool:
    """Whether a run reaches one object of a kind, and not its team's."""
    return kind is not ObjectKind.REGISTERED_MODEL


def as_maker(actor: Actor, owner_id: int | None, level: Level) -> Level:
    """The level of who made an object: `MANAGE` as long as they may edit it; not for a run that speaks for them."""
    made_it = owner_id is not None and owner_id == actor.user_id and actor.confined is None
    return Level.MANAGE if made_it and level >= Level.EDIT else level


def _pinned_id(actor: Actor, kind: ObjectKind) -> int | None:
    if actor.confined is None:
        return None
    return {
        ObjectKind.EXPERIMENT: actor.confined.experiment_id,
        ObjectKind.PROJECT: actor.confined.project_id,
    }.get(kind)


def _with_all_rights(actor: Actor, confined: Confinement) -> Actor:
    return replace(actor, is_admin=confined.is_admin, roles=confined.roles, confined=None)
