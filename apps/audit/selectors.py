from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from django.db.models import Q

from apps.audit.models import Event
from apps.audit.querysets import EventQuerySet
from apps.core.actor import Actor

ACTIVITY_LENGTH = 50
_BATCH = 1000


def activity_of(actor: Actor, kind: str, object_id: str | int, limit: int = ACTIVITY_LENGTH) -> list[Event]:
    """The newest events of one object, for its page.

    The caller has fetched the object through its `access`: who may see an object may see what happened to it. So this
    shows more than `Event.objects.visible_to`, which is for lists over all objects. Tokens of a narrow scope get none.
    """
    return activity_of_all(actor, {kind: [object_id]}, limit)


def activity_of_all(
    actor: Actor, objects: Mapping[str, Iterable[str | int]], limit: int = ACTIVITY_LENGTH
) -> list[Event]:
    """The newest events of some objects, by their kinds, that the caller has fetched through their `access`."""
    if not actor.may_use(None, reads=True):
        return []
    found = Q(pk__in=[])
    for kind, ids in objects.items():
        found |= Q(object_kind=kind, object_id__in=[str(object_id) for object_id in ids])
    return list(Event.objects.filter(found).order_by("-pk")[:limit])


def in_batches(events: EventQuerySet) -> Iterator[Event]:
    """All of `events`, newest first, with constant memory and no cursor held on the server."""
    last: int | None = None
    while True:
        batch = list((events if last is None else events.filter(pk__lt=last)).order_by("-pk")[:_BATCH])
        yield from batch
        if len(batch) < _BATCH:
            return
        last = batch[-1].pk
