"""Verification: walks the whole chain with constant memory and says what doesn't fit.

Rows are append-only, so no snapshot is held while walking: what is sealed meanwhile is after the head seen at start.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from apps.audit.chain import GENESIS, fits, has_proof
from apps.audit.heads import Head, is_in_chain
from apps.audit.models import Event, Seal
from apps.audit.sealing import newest_head, unsealed

# In the cache: how many findings the last walk of a worker had, and when.
LAST_KEY = "audit.verified"
_BATCH = 1000


class Fault(StrEnum):
    """What can be wrong with a row."""

    CHANGED = "changed"
    MISSING = "missing"
    INSERTED = "inserted"
    CUT_OFF = "cut off"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that doesn't fit, in words for the person who looks into it."""

    fault: Fault
    message: str

    def __str__(self) -> str:
        return f"{self.fault}: {self.message}"


@dataclass(slots=True)
class Verification:
    """One walk. Iterate over `findings()`; `checked` counts the seals passed so far.

    `after`: begin behind this place of the chain, and take what is before for granted.
    """

    known_heads: list[Head] = field(default_factory=list)
    checked: int = 0
    after: int = 0

    def findings(self) -> Iterator[Finding]:
        """What doesn't fit; nothing where all is well."""
        head = newest_head()
        yield from self._of_chain(head.sequence if head else 0)
        yield from self._of_heads()
        yield from _inserted()

    def _of_chain(self, last: int) -> Iterator[Finding]:
        expected, before = self.after + 1, _digest_at(self.after)
        for seal, event in _sealed(self.after, last):
            if seal.sequence != expected:
                yield _gap(expected, seal.sequence - 1)
            whole = seal.sequence == expected
            if event is None:
                yield Finding(Fault.MISSING, f"event {seal.event_id}, sealed as {seal.sequence}, is not there")
            elif whole and not fits(seal.digest, event, seal.sequence, before):
                yield _unfit(seal, event)
            elif not whole and not has_proof(event):
                yield _changed(event)
            expected, before = seal.sequence + 1, seal.digest
            self.checked += 1

    def _of_heads(self) -> Iterator[Finding]:
        for head in self.known_heads:
            if not is_in_chain(head):
                what = f"seal {head.sequence} is not the one that a known head names"
                yield Finding(Fault.CUT_OFF, f"{what}: the chain was cut off at or before it")


def _digest_at(sequence: int) -> str:
    return Seal.objects.filter(sequence=sequence).values_list("digest", flat=True).first() or GENESIS


def _sealed(after: int, last: int) -> Iterator[tuple[Seal, Event | None]]:
    """All seals up to `last` in order, each with its event where there is one; two statements for each batch."""
    sequence = after
    while seals := list(Seal.objects.filter(sequence__gt=sequence, sequence__lte=last).order_by("sequence")[:_BATCH]):
        events = Event.objects.in_bulk([seal.event_id for seal in seals])
        yield from ((seal, events.get(seal.event_id)) for seal in seals)
        sequence = seals[-1].sequence


def _inserted() -> Iterator[Finding]:
    """Events without a seal that this server did not record; those it did record came during the walk."""
    last_id = 0
    while events := list(unsealed().filter(pk__gt=last_id).order_by("pk")[:_BATCH]):
        for event in events:
            if not has_proof(event):
                yield Finding(Fault.INSERTED, f"{_named(event)} has no seal and was not recorded by this server")
        last_id = events[-1].pk


def _unfit(seal: Seal, event: Event) -> Finding:
    if has_proof(event):
        return Finding(Fault.CHANGED, f"seal {seal.sequence} (of {_named(event)}) does not follow the one before it")
    return _changed(event)


def _changed(event: Event) -> Finding:
    return Finding(Fault.CHANGED, f"{_named(event)} does not say what it said when it was recorded")


def _gap(first: int, last: int) -> Finding:
    what = f"seal {first} is" if first == last else f"seals {first} to {last} are"
    return Finding(Fault.MISSING, f"{what} not there")


def _named(event: Event) -> str:
    return f"event {event.pk} ({event.code}, {event.created_at:%Y-%m-%d %H:%M:%S} UTC)"
