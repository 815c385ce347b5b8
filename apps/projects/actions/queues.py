from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q

from apps.accounts.models import Team
from apps.audit.actions import Subject, record
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Conflict, InvalidInput
from apps.projects import events
from apps.projects.actions.common import now_ms
from apps.projects.models import DEFAULT_QUEUE, Project, ProjectRun, Queue, Quota
from apps.projects.models.queues import queue_name_validator
from apps.projects.waking import wake

_MAX_DESCRIPTION = 500
_MOST = 2**31 - 1
_MOST_BYTES = 2**53


def create_queue(actor: Actor, *, name: str, description: str = "", max_running: int | None = None) -> Queue:
    """A new queue of the site. Raises `AlreadyExists`, `InvalidInput`."""
    try:
        queue_name_validator(name)
    except ValidationError as error:
        raise InvalidInput(f"name: {error.messages[0]}") from error
    _check(description, max_running)
    after = {"description": description, "max_running": max_running}
    try:
        with transaction.atomic():
            queue = Queue.objects.create(name=name, created_ms=now_ms(), **after)
            record(actor, events.QUEUE_CREATED, _subject(queue), after=after)
    except IntegrityError as error:
        raise AlreadyExists(f"There is a queue named '{name}'.") from error
    return queue


def change_queue(actor: Actor, *, queue: Queue, **changes: Any) -> Queue:
    """Another `description`, `max_running`, or whether it is paused: `is_paused`. What runs goes on."""
    _check(changes.get("description", ""), changes.get("max_running"))
    before = {name: getattr(queue, name) for name in changes}
    if before == changes:
        return queue
    with transaction.atomic():
        for name, value in changes.items():
            setattr(queue, name, value)
        queue.save(update_fields=list(changes))
        record(actor, events.QUEUE_CHANGED, _subject(queue), before=before, after=changes)
        # What it held back may go on.
        transaction.on_commit(lambda: wake(queue.name))
    return queue


def delete_queue(actor: Actor, *, queue: Queue) -> None:
    """Remove a queue. Raises `Conflict` while runs wait or go on in it, or projects start theirs there."""
    if queue.name == DEFAULT_QUEUE:
        raise Conflict(f"The queue {DEFAULT_QUEUE} stays: it takes what names no other. It can be paused.")
    with transaction.atomic():
        Queue.objects.select_for_update().get(pk=queue.pk)
        if active := ProjectRun.objects.active().filter(queue=queue.name).count():
            raise Conflict(f"{active} runs wait or go on in the queue {queue.name}.")
        if used := Project.objects.filter(queue=queue.name).count():
            raise Conflict(f"{used} projects start their runs in the queue {queue.name}: give them another first.")
        record(actor, events.QUEUE_DELETED, _subject(queue), before={"description": queue.description})
        queue.delete()


def set_quota(
    actor: Actor, *, team: Team, max_running: int | None, max_queued: int | None, archive_bytes: int | None
) -> Quota:
    """How much of the workers and the store a team may have; None: as much as there is."""
    after = {"max_running": max_running, "max_queued": max_queued, "archive_bytes": archive_bytes}
    for name, value in after.items():
        if value is not None and not 0 <= value <= (_MOST_BYTES if name == "archive_bytes" else _MOST):
            raise InvalidInput(f"{name} has to be 0 or more.")
    with transaction.atomic():
        quota, _ = Quota.objects.select_for_update().get_or_create(team=team)
        before = {name: getattr(quota, name) for name in after}
        for name, value in after.items():
            setattr(quota, name, value)
        quota.save()
        record(
            actor,
            events.QUOTA_SET,
            Subject("quota", str(team.pk), team.name, team.pk, team.name),
            before=before,
            after=after,
        )
        transaction.on_commit(lambda: _wake_for(team.pk))
    return quota


def _wake_for(team_id: int) -> None:
    waiting = ProjectRun.objects.filter(Q(team_id=team_id), state="queued")
    for queue in waiting.values_list("queue", flat=True).distinct().order_by():
        wake(queue)


def _check(description: str, max_running: int | None) -> None:
    if len(description) > _MAX_DESCRIPTION or "\x00" in description:
        raise InvalidInput(f"description: at most {_MAX_DESCRIPTION} characters.")
    if max_running is not None and not 0 < max_running <= _MOST:
        raise InvalidInput("max_running has to be more than 0.")


def _subject(queue: Queue) -> Subject:
    return Subject("queue", str(queue.pk), queue.name)
