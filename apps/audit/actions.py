from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from apps.audit.chain import make_proof
from apps.audit.codes import EventCode
from apps.audit.models import Event
from apps.core.actor import Actor
from apps.core.context import current_context


@dataclass(frozen=True, slots=True)
class Subject:
    """What an event is about, in frozen words. `team_id` and `team_name` are those of the object's team."""

    kind: str
    id: str
    name: str
    team_id: int | None = None
    team_name: str = ""


def record(
    actor: Actor,
    code: EventCode,
    subject: Subject,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    note: str = "",
) -> Event:
    """Write an event in the caller's transaction. Raises `RuntimeError` outside of one: row and event go together."""
    if not connection.in_atomic_block:
        raise RuntimeError(f"{code} recorded outside of a transaction")
    context = current_context()
    event = Event(
        code=code.code,
        actor_id=actor.user_id,
        actor_name=actor.username,
        via=actor.via,
        token_id=actor.token_id,
        request_id=context.request_id,
        ip=context.ip,
        team_id=subject.team_id,
        team_name=subject.team_name,
        object_kind=subject.kind,
        object_id=subject.id,
        object_name=subject.name[:512],
        before=before,
        after=after,
        note=note,
    )
    event.proof = make_proof(event)
    event.save(force_insert=True)
    return event
