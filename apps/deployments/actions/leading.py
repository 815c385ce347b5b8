"""Which machines serve, and who of them decides for all: writes of supervisors about themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from apps.core.actor import Actor
from apps.core.errors import DomainError
from apps.deployments.models import LEADERSHIP, ServingHost, ServingLease
from apps.projects.actions.common import DatabaseMs

LEASE_MS = 8_000
FORGOTTEN_MS = 24 * 3_600_000


class Deposed(DomainError):
    """Somebody else decides by now, or has the host's name: whoever hears this stops and writes nothing more."""


@dataclass(frozen=True, slots=True)
class Lease:
    """That `holder` decides, under `fence`, since it was asked for and for `LEASE_MS`."""

    holder: str
    fence: int


def register_host(
    actor: Actor, *, name: str, pid: int, version: str, targets: Sequence[str], abilities: Mapping[str, Any]
) -> ServingHost:
    """Say that a machine serves. Who had the name before it has it no more: its writes raise `Deposed` from now on."""
    now = database_ms()
    facts = {"pid": pid, "version": version, "targets": list(targets), "abilities": dict(abilities)}
    with transaction.atomic():
        host, _ = ServingHost.objects.get_or_create(name=name, defaults={"seen_ms": now, "started_ms": now})
        host = ServingHost.objects.select_for_update(no_key=True).get(pk=host.pk)
        # Its start is what a host is known by, so two starts never are at the same moment.
        values = {**facts, "seen_ms": now, "started_ms": max(now, host.started_ms + 1), "stopped_ms": None}
        for field, value in values.items():
            setattr(host, field, value)
        host.save(update_fields=list(values))
    return host


def beat_host(actor: Actor, *, host: ServingHost) -> None:
    """Say that it still serves. Raises `Deposed`."""
    if not _mine(host).update(seen_ms=DatabaseMs()):
        raise Deposed(_named(host))


def note_targets(actor: Actor, *, host: ServingHost, lacking: Mapping[str, Sequence[str]]) -> None:
    """Where something can be started there now, and why not elsewhere, in sentences by target. Raises `Deposed`."""
    targets = sorted(kind for kind, why in lacking.items() if not why)
    abilities = {**host.abilities, "targets": {kind: list(why) for kind, why in lacking.items() if why}}
    if (targets, abilities) == (host.targets, host.abilities):
        return
    if not _mine(host).update(targets=targets, abilities=abilities):
        raise Deposed(_named(host))
    host.targets, host.abilities = targets, abilities


def stop_host(actor: Actor, *, host: ServingHost) -> None:
    """Say that it stops: it gets nothing more, and ends what it has."""
    _mine(host).update(stopped_ms=DatabaseMs(), seen_ms=DatabaseMs())


def forget_hosts(actor: Actor) -> int:
    """Delete those that were not heard of for a day; how many."""
    return ServingHost.objects.filter(seen_ms__lt=DatabaseMs() - FORGOTTEN_MS).delete()[0]


@contextmanager
def of_host(host: ServingHost) -> Iterator[None]:
    """A transaction in which nobody takes the host's name. Raises `Deposed`."""
    with transaction.atomic():
        if not _mine(host).select_for_update(no_key=True).exists():
            raise Deposed(_named(host))
        yield


def take_lease(actor: Actor, *, host: str, holder: str) -> Lease | None:
    """Become the one who decides, where nobody is, the lease has run out, or who had it was of this very host.

    A host has one supervisor at a time, so one of this host that came before has ended, however it did.
    """
    ServingLease.objects.bulk_create([ServingLease(name=LEADERSHIP)], ignore_conflicts=True)
    free = Q(until_ms__lt=DatabaseMs()) | Q(holder__startswith=f"{host}:")
    with transaction.atomic():
        found = ServingLease.objects.filter(free, name=LEADERSHIP)
        if not found.update(holder=holder, fence=F("fence") + 1, until_ms=DatabaseMs() + LEASE_MS):
            return None
        return Lease(holder, ServingLease.objects.values_list("fence", flat=True).get(name=LEADERSHIP))


def keep_lease(actor: Actor, *, lease: Lease) -> None:
    """Decide for longer. Raises `Deposed` where it has run out: who wants to go on asks for another."""
    if not _held(lease).update(until_ms=DatabaseMs() + LEASE_MS):
        raise Deposed(f"{lease.holder} does not decide any more.")


def leave_lease(actor: Actor, *, lease: Lease) -> None:
    """Let the next one decide at once."""
    _held(lease).update(until_ms=0)


@contextmanager
def under(lease: Lease) -> Iterator[None]:
    """A transaction in which nobody else begins to decide. Raises `Deposed`."""
    with transaction.atomic():
        if not _held(lease).select_for_update(no_key=True).exists():
            raise Deposed(f"{lease.holder} does not decide any more.")
        yield


def database_ms() -> int:
    """Now, by the database's clock, in milliseconds since the epoch."""
    found: int = ServingLease.objects.annotate(now=DatabaseMs()).values_list("now", flat=True).first() or 0
    if found:
        return found
    ServingLease.objects.bulk_create([ServingLease(name=LEADERSHIP)], ignore_conflicts=True)
    return database_ms()


def _held(lease: Lease) -> Any:
    held = ServingLease.objects.filter(name=LEADERSHIP, holder=lease.holder, fence=lease.fence)
    return held.filter(until_ms__gt=DatabaseMs())


def _mine(host: ServingHost) -> Any:
    return ServingHost.objects.filter(pk=host.pk, started_ms=host.started_ms)


def _named(host: ServingHost) -> str:
    return f"Another supervisor is called {host.name} by now; give each its own name by SLIPWAY_SERVING_NAME."
