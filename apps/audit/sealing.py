"""The sealer: follows the events in the order in which they become visible, and chains them.

Ids are given out before commit, so on PostgreSQL event 8 may be seen before event 7. The chain doesn't need ids in
order: the sealer takes every committed event that has no seal, whatever its id, and gives it the next place. An event
gets exactly one place (`Seal.event_id` is unique), a place is never given twice (`sequence` is the key) and never
changes, so what commits late is chained late and nothing is lost or moved. Writers don't wait: the sealer alone holds
a lock, and it locks no events.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.db import connection, transaction
from django.db.models import Exists, Min, OuterRef

from apps.audit import heads
from apps.audit.chain import GENESIS, has_proof, make_digest
from apps.audit.heads import Head
from apps.audit.models import Event, Seal
from apps.audit.querysets import EventQuerySet

logger = logging.getLogger(__name__)

# How far behind the head a pass looks for late commits; a thorough pass looks at everything.
LOOK_BACK = 10_000
_BATCH = 500
_LOCK = 0x51_1B_0A_7D


def seal_pending(*, thorough: bool = False) -> int:
    """Seal what has no seal; how many. Events without a proof are left out: they are not ours.

    A pass looks back over the last `LOOK_BACK` seals, so that it costs the same on any log; a `thorough` one over
    all events, and it waits for another sealer instead of leaving the work to it.
    """
    count, last_id = 0, 0
    while True:
        with transaction.atomic():
            if not _take_lock(wait=thorough):
                return count
            events = list(pending(thorough=thorough).filter(pk__gt=last_id).order_by("pk")[:_BATCH])
            count += _seal(events)
        if len(events) < _BATCH:
            return count
        last_id = events[-1].pk


def newest_head() -> Head | None:
    """The end of the chain; None while nothing is sealed."""
    seal = newest_seal()
    return Head(seal.sequence, seal.digest) if seal else None


def newest_seal() -> Seal | None:
    """The last seal; None while nothing is sealed."""
    return Seal.objects.order_by("-sequence").first()


def unsealed() -> EventQuerySet:
    """Events that have no place in the chain yet."""
    return Event.objects.filter(~Exists(Seal.objects.filter(event_id=OuterRef("pk"))))


def pending(*, thorough: bool = False) -> EventQuerySet:
    """What a pass looks at: the events without a seal behind its look back, or all of them."""
    head = newest_head()
    if thorough or head is None or head.sequence <= LOOK_BACK:
        return unsealed()
    lowest = Seal.objects.filter(sequence__gt=head.sequence - LOOK_BACK).aggregate(lowest=Min("event_id"))["lowest"]
    return unsealed().filter(pk__gt=lowest)


def _seal(events: Sequence[Event]) -> int:
    head = newest_head() or Head(0, GENESIS)
    seals = []
    for event in events:
        if not has_proof(event):
            logger.error("audit: event %s was not recorded by this server and stays unsealed", event.pk)
            continue
        head = Head(head.sequence + 1, make_digest(event, head.sequence + 1, head.digest))
        seals.append(Seal(sequence=head.sequence, event_id=event.pk, digest=head.digest))
    Seal.objects.bulk_create(seals)
    if seals:
        transaction.on_commit(lambda: heads.publish(head))
    return len(seals)


def _take_lock(*, wait: bool) -> bool:
    """One sealer at a time. SQLite's immediate transactions are that lock already."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            return True
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])
