"""What can be shared: each app says here how its objects are found, named and measured, so that none is imported.

An app calls `register_kind` when it is ready. A kind that nobody registered can't be shared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import ObjectKind
from apps.core.actor import Actor, Level
from apps.core.errors import EndpointNotFound

LEVEL_WORDS = {
    Level.READ: _("read"),
    Level.EDIT: _("edit"),
    Level.STAGING: _("edit, and move among None, Staging and Archived"),
    Level.PRODUCTION: _("edit, and move among all stages"),
    Level.MANAGE: _("manage"),
}


@dataclass(frozen=True, slots=True)
class Target:
    """One object that can be shared. `reference` is its id or name in the protocol, `url` its page.

    `key` finds it whatever team a request speaks for; it is the reference where that does so too.
    """

    kind: ObjectKind
    object_id: int
    reference: str
    name: str
    team_id: int
    team_name: str
    url: str = ""
    owner_id: int | None = None
    key: str = ""

    def __post_init__(self) -> None:
        if not self.key:
            object.__setattr__(self, "key", self.reference)


@dataclass(frozen=True, slots=True)
class Kind:
    """How an app answers for its objects.

    `find(actor, reference, level)` fetches by reference or key and authorises: `NotFound`, or `PermissionDenied`
    where too weak.
    `level_of(actor, target)` is what the actor may do with one that was found.
    `by_ids` names many at once, without asking who may see them: for lists of grants that were authorised already.
    `empty_team(team_id)` removes what every team has without asking for it, before a team is deleted.
    """

    find: Callable[[Actor, str, Level], Target]
    level_of: Callable[[Actor, Target], Level]
    by_ids: Callable[[Iterable[int]], Mapping[int, Target]]
    empty_team: Callable[[int], None] | None = None
    # What can be granted on it, weakest first.
    levels: tuple[Level, ...] = (Level.READ, Level.EDIT, Level.MANAGE)
    # What somebody who manages it may grant at most.
    most_grantable: Callable[[Actor, Target], Level] = lambda actor, target: Level.MANAGE
    # The `key` of the object with an id.
    key_of: Callable[[int], str] = str


_KINDS: dict[ObjectKind, Kind] = {}


def register_kind(kind: ObjectKind, answers: Kind) -> None:
    """Say how objects of `kind` are found. Call it from the app's `ready`."""
    _KINDS[kind] = answers


def kind_of(kind: ObjectKind) -> Kind:
    """The answers of a kind. Raises `EndpointNotFound` for one that this server has no objects of."""
    if kind not in _KINDS:
        raise EndpointNotFound("No such route on this server.")
    return _KINDS[kind]


def known_kinds() -> dict[ObjectKind, Kind]:
    """All kinds that can be shared here."""
    return dict(_KINDS)


def empty_team(team_id: int) -> None:
    """Let each app remove what it made for the team by itself."""
    for kind in _KINDS.values():
        if kind.empty_team is not None:
            kind.empty_team(team_id)
