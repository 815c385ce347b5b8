"""The machines that serve: who is alive, and what the targets that they offer hold people to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.deployments.actions.common import now_ms
from apps.deployments.models import ALIVE_MS, ServingHost


@dataclass(frozen=True, slots=True)
class HostRow:
    """A host. `lacks` are sentences: what it can't hold instances to, or why a target can't be used there."""

    host: ServingHost
    is_alive: bool
    isolation: str = ""
    lacks: Sequence[str] = ()
    gpus: Sequence[str] = ()

    @property
    def targets(self) -> list[str]:
        """The kinds of targets that it offers."""
        return [str(kind) for kind in self.host.targets]


@dataclass
class Hosts:
    """All hosts, those that are alive first."""

    rows: list[HostRow] = field(default_factory=list)

    @property
    def alive(self) -> list[HostRow]:
        """Those that were heard of lately."""
        return [row for row in self.rows if row.is_alive]

    def offering(self, target: str) -> list[HostRow]:
        """Those alive that offer a kind of target."""
        return [row for row in self.alive if target in row.targets]

    def lacks_of(self, target: str) -> list[str]:
        """What no host that offers the target enforces, each sentence once."""
        found = [set(row.lacks) for row in self.offering(target)]
        everywhere = set.intersection(*found) if found else set()
        first = self.offering(target)[0].lacks if found else ()
        return [said for said in first if said in everywhere]


def hosts() -> Hosts:
    """One statement."""
    now = now_ms()
    rows = [_row(host, now) for host in ServingHost.objects.order_by("name")]
    return Hosts(sorted(rows, key=lambda row: not row.is_alive))


def _row(host: ServingHost, now: int) -> HostRow:
    said: Mapping[str, Any] = host.abilities if isinstance(host.abilities, dict) else {}
    alive = host.stopped_ms is None and now - host.seen_ms < ALIVE_MS
    lacks = said.get("lacks")
    gpus = said.get("gpus")
    return HostRow(
        host,
        alive,
        str(said.get("isolation", "")),
        tuple(str(one) for one in lacks) if isinstance(lacks, list) else (),
        tuple(str(one) for one in gpus) if isinstance(gpus, list) else (),
    )
