from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from apps.accounts.models import Team, User
from apps.audit.actions import Subject, record
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Conflict, InvalidInput, NotFound
from apps.registry import access, events
from apps.registry.actions.common import now_ms
from apps.registry.actions.policies import begin_anew
from apps.registry.models import ApproverGroup, Policy, PromotionRequest

MAX_NAME = 100
MAX_DESCRIPTION = 500
MAX_MEMBERS = 200


def create_group(
    actor: Actor, *, name: str, team: Team | None = None, description: str = "", members: Collection[User] = ()
) -> ApproverGroup:
    """Named people who approve, of a team or of the site.

    Raises `AlreadyExists`, and `InvalidInput` for members who never approve.
    """
    access.require_policies(actor, team)
    name, description = _checked(name, description, members)
    try:
        with transaction.atomic():
            group = ApproverGroup.objects.create(team=team, name=name, description=description, created_ms=now_ms())
            group.members.set(members)
            record(actor, events.GROUP_CREATED, group_subject(group), after=_as_json(group))
    except IntegrityError as error:
        raise _taken(name) from error
    return group


def change_group(
    actor: Actor,
    *,
    group: ApproverGroup,
    name: str | None = None,
    description: str | None = None,
    members: Collection[User] | None = None,
) -> ApproverGroup:
    """Change what is given. Open requests that the group decides on begin anew where its members change."""
    access.require_policies(actor, group.team)
    new = _checked(
        group.name if name is None else name, group.description if description is None else description, members or ()
    )
    try:
        with transaction.atomic():
            locked = _locked(group)
            before = _as_json(locked)
            locked.name, locked.description = new
            locked.save(update_fields=["name", "description"])
            if members is not None:
                locked.members.set(members)
            _note_change(actor, locked, before)
    except IntegrityError as error:
        raise _taken(new[0]) from error
    return locked


def delete_group(actor: Actor, *, group: ApproverGroup) -> None:
    """Remove a group. Raises `Conflict` while a policy names it."""
    access.require_policies(actor, group.team)
    with transaction.atomic():
        locked = _locked(group)
        before = _as_json(locked)
        subject = group_subject(locked)
        try:
            with transaction.atomic():
                locked.delete()
        except ProtectedError as error:
            policies = ", ".join(sorted(str(row) for row in error.protected_objects if isinstance(row, Policy)))
            raise Conflict(f"Policies name the group {group.name}: {policies}. Change them first.") from error
        record(actor, events.GROUP_DELETED, subject, before=before)


def group_subject(group: ApproverGroup) -> Subject:
    """A group as the subject of an event."""
    team = group.team
    return Subject("approver_group", str(group.pk), group.name, team.pk if team else None, team.name if team else "")


def _note_change(actor: Actor, group: ApproverGroup, before: dict[str, Any]) -> None:
    after = _as_json(group)
    if after == before:
        return
    record(actor, events.GROUP_CHANGED, group_subject(group), before=before, after=after)
    if after["members"] != before["members"]:
        begin_anew(actor, PromotionRequest.objects.open().filter(rules__approver_group=group.pk))


def _locked(group: ApproverGroup) -> ApproverGroup:
    found = (
        ApproverGroup.objects.select_for_update(of=("self",), no_key=True)
        .select_related("team")
        .filter(pk=group.pk)
        .first()
    )
    if found is None:
        raise NotFound(f"Approver group {group.pk} not found.")
    return found


def _as_json(group: ApproverGroup) -> dict[str, Any]:
    members = group.members.order_by("username").values_list("username", flat=True)
    return {"name": group.name, "description": group.description, "members": list(members)}


def _checked(name: str, description: str, members: Collection[User]) -> tuple[str, str]:
    name, description = name.strip(), description.strip()
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise InvalidInput(f"A group's name has 1 to {MAX_NAME} characters.")
    if len(description) > MAX_DESCRIPTION or "\0" in description:
        raise InvalidInput(f"A group's description has at most {MAX_DESCRIPTION} characters.")
    if len(members) > MAX_MEMBERS:
        raise InvalidInput(f"A group has at most {MAX_MEMBERS} members.")
    if services := sorted(user.username for user in members if user.is_service):
        raise InvalidInput(f"Service accounts never approve: {', '.join(services)}.")
    return name, description


def _taken(name: str) -> AlreadyExists:
    return AlreadyExists(f"There is a group of approvers named '{name}' already.")
