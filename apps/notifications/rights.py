"""Which webhooks may still speak: one fires only while whoever made it may make it. Asked for many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from apps.accounts.kinds import Target
from apps.accounts.models import Grant, User
from apps.core.actor import Level, Role
from apps.notifications.models import Webhook
from apps.notifications.selectors import targets_of


def firing(hooks: Collection[Webhook]) -> set[int]:
    """The keys of those whose maker is active and still manages the object, administers the team or the site.

    A constant number of statements: two more where roles alone don't answer for an object.
    """
    people = _People({hook.owner_id for hook in hooks if hook.owner_id})
    sure = {hook.pk for hook in hooks if people.may_by_role(hook)}
    rest = [hook for hook in hooks if hook.pk not in sure and hook.object_id and people.knows(hook.owner_id)]
    return sure | _by_grant_or_making(people, rest)


class _People:
    """Some active people with their roles. One statement."""

    def __init__(self, ids: Collection[int]) -> None:
        self.admins: set[int] = set()
        self.roles: dict[int, dict[int, Role]] = defaultdict(dict)
        active = User.objects.filter(pk__in=ids, is_active=True).order_by() if ids else User.objects.none()
        rows = active.values_list("pk", "is_superuser", "memberships__team_id", "memberships__role")
        for pk, is_admin, team, role in rows:
            self.roles[pk] |= {team: Role(role)} if team else {}
            if is_admin:
                self.admins.add(pk)

    def knows(self, user_id: int | None) -> bool:
        return user_id in self.roles

    def level(self, user_id: int | None, team_id: int | None) -> Level:
        role = self.roles.get(user_id or 0, {}).get(team_id or 0)
        return role.level if role else Level.NONE

    def may_by_role(self, hook: Webhook) -> bool:
        if hook.owner_id in self.admins:
            return True
        if hook.object_id:
            return self.level(hook.owner_id, hook.team_id) >= Level.MANAGE
        return self.roles.get(hook.owner_id or 0, {}).get(hook.team_id or 0) is Role.ADMIN


def _by_grant_or_making(people: _People, hooks: Collection[Webhook]) -> set[int]:
    if not hooks:
        return set()
    ids = {hook.object_id for hook in hooks if hook.object_id}
    granted: dict[tuple[str, int], list[Grant]] = defaultdict(list)
    for grant in Grant.objects.filter(
        kind__in={hook.kind for hook in hooks}, object_id__in=ids, level__gte=Level.EDIT
    ).order_by():
        granted[grant.kind, grant.object_id].append(grant)
    targets = targets_of(hooks)
    keys = {hook: (hook.kind, hook.object_id or 0) for hook in hooks}
    return {hook.pk for hook, key in keys.items() if _manages(people, hook, granted[key], targets.get(key))}


def _manages(people: _People, hook: Webhook, grants: Iterable[Grant], target: Target | None) -> bool:
    teams = people.roles[hook.owner_id or 0]
    level = people.level(hook.owner_id, hook.team_id)
    for grant in grants:
        if grant.user_id == hook.owner_id or grant.team_id in teams:
            level = max(level, Level(grant.level))
    made_it = target is not None and target.owner_id == hook.owner_id
    return level >= Level.MANAGE or (made_it and level >= Level.EDIT)
