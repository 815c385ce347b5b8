from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from apps.accounts import events
from apps.accounts.epoch import forget_actors
from apps.accounts.kinds import Target, kind_of
from apps.accounts.models import Grant, Team, User
from apps.audit.actions import Subject, record
from apps.core.actor import Actor, Level
from apps.core.errors import Conflict, InvalidInput, PermissionDenied


def give_grant(actor: Actor, *, target: Target, to: User | Team, level: Level) -> Grant:
    """Let a person or a whole team read, edit or manage an object; a second grant replaces the first.

    `target` was fetched with the level `MANAGE`. Raises `InvalidInput` for a level that the kind has not, and
    `PermissionDenied` for more than one may give.
    """
    levels = kind_of(target.kind).levels
    if level not in levels:
        raise InvalidInput(f"A grant on it is one of: {', '.join(each.word for each in levels)}.")
    _refuse_more_than_one_may_give(actor, target, level)
    holder = _holder(to)
    try:
        with transaction.atomic():
            key: dict[str, Any] = {"kind": target.kind, "object_id": target.object_id, **holder}
            before = Grant.objects.select_for_update().filter(**key).values_list("level", flat=True).first()
            grant, _ = Grant.objects.update_or_create(**key, defaults={"level": level})
            if before != level:
                _note(actor, target, to, before, level)
                forget_actors()
    except IntegrityError as error:
        raise Conflict("Somebody else changed this grant just now. Try again.") from error
    return grant


def revoke_grant(actor: Actor, *, target: Target, to: User | Team) -> bool:
    """Take a grant back. False where there was none."""
    with transaction.atomic():
        found = Grant.objects.filter(kind=target.kind, object_id=target.object_id, **_holder(to))
        before = found.values_list("level", flat=True).first()
        if before is None:
            return False
        found.delete()
        _note(actor, target, to, before, None)
        forget_actors()
    return True


def set_grants(actor: Actor, *, target: Target, levels: Mapping[User | Team, Level], replaces: bool = False) -> None:
    """Give several grants on one object, all or none; with `replaces` everybody else's are taken back.

    Raises as `give_grant` does.
    """
    with transaction.atomic():
        if replaces:
            for holder in _holders(target):
                if holder not in levels:
                    revoke_grant(actor, target=target, to=holder)
        for holder, level in levels.items():
            give_grant(actor, target=target, to=holder, level=level)


def _holders(target: Target) -> list[User | Team]:
    grants = Grant.objects.filter(kind=target.kind, object_id=target.object_id).select_related("user", "team")
    return [holder for grant in grants if (holder := grant.user or grant.team) is not None]


def _refuse_more_than_one_may_give(actor: Actor, target: Target, level: Level) -> None:
    most = kind_of(target.kind).most_grantable(actor, target)
    if level > most:
        raise PermissionDenied(f"Permission denied: you may grant at most '{most.word}' on {target.name}.")


def _holder(to: User | Team) -> dict[str, User | Team]:
    return {"user": to} if isinstance(to, User) else {"team": to}


def _note(actor: Actor, target: Target, to: User | Team, before: int | None, after: int | None) -> None:
    who = to.username if isinstance(to, User) else f"team {to.name}"
    code = events.GRANT_GIVEN if before is None else events.GRANT_REVOKED if after is None else events.GRANT_CHANGED
    subject = Subject(target.kind.value, str(target.object_id), target.name, target.team_id, target.team_name)
    note = f"{who} {_word(after) or _word(before)}"
    shown = {"before": {"to": who, "level": _word(before)}, "after": {"to": who, "level": _word(after)}}
    record(actor, code, subject, before=shown["before"], after=shown["after"], note=note)


def _word(level: int | None) -> str:
    return Level(level).word if level else ""
