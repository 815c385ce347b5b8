"""Groups of approvers as lists show them, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import F, QuerySet

from apps.accounts.models import Team
from apps.core.actor import Actor, Role
from apps.registry import access
from apps.registry.models import ApproverGroup


@dataclass
class GroupLine:
    """A group. `members` are empty for who may not know them; `may_change`: the reader administers it."""

    group: ApproverGroup
    knows: bool
    may_change: bool
    members: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """For ids on a page."""
        return str(self.group.pk)


def groups_for(actor: Actor) -> QuerySet[ApproverGroup]:
    """The groups that the actor may see: the site's first, then those of teams."""
    found = ApproverGroup.objects.visible_to(actor).select_related("team").prefetch_related("members")
    return found.order_by(F("team__name").asc(nulls_first=True), "name", "pk")


def lines_of(actor: Actor, groups: Iterable[ApproverGroup]) -> list[GroupLine]:
    """Groups that were fetched with their members, as the actor may know them. No statement."""
    return [_line(actor, group) for group in groups]


def administered(actor: Actor) -> list[Team]:
    """The teams of the actor's where they set policies and groups."""
    return list(Team.objects.filter(pk__in=[team for team, role in actor.roles.items() if role is Role.ADMIN]))


def _line(actor: Actor, group: ApproverGroup) -> GroupLine:
    knows = access.knows_members(actor, group)
    names = sorted(user.username for user in group.members.all()) if knows else []
    return GroupLine(group, knows, access.sets_policies(actor, group.team_id), names)
