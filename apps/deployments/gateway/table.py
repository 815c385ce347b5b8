"""What the gateway knows of deployments: a table in the process, made anew when they change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.deployments.gateway.balancing import Split
from apps.deployments.gateway.upstream import Upstream


@dataclass(frozen=True, slots=True)
class Side:
    """A revision: what answers for it now, and its limits."""

    pk: int
    number: int
    version: int
    timeout_s: float
    max_body_bytes: int
    sticky_header: bytes = b""
    calls_per_minute: int | None = None
    upstreams: tuple[Upstream, ...] = ()


@dataclass(slots=True)
class Endpoint:
    """A deployment. `decisions` are what is known of its callers, for as long as this table is in use.

    `sticky_header` and `calls_per_minute` count before a revision is chosen: they are of the one with most traffic.
    """

    pk: int
    name: str
    team_id: int
    owner_id: int | None
    is_stopped: bool
    split: Split
    sides: Mapping[int, Side]
    sticky_header: bytes = b""
    calls_per_minute: int | None = None
    port: tuple[str, int, bool] | None = None
    decisions: dict[Any, Any] = field(default_factory=dict)

    def ready(self, tried: Iterable[Upstream], now: float) -> dict[int, list[Upstream]]:
        """By revision: the instances that can be asked, those that were not tried and did not just refuse first."""
        found: dict[int, list[Upstream]] = {}
        for number, side in self.sides.items():
            left = [each for each in side.upstreams if each not in tried]
            if left:
                found[number] = [each for each in left if each.down_until <= now] or left
        return found


class Table:
    """All deployments, by their names in small letters. `epoch` says how old it is."""

    def __init__(self, epoch: int, endpoints: Iterable[Endpoint] = ()) -> None:
        self.epoch = epoch
        self.endpoints = {endpoint.name.lower().encode(): endpoint for endpoint in endpoints}

    def upstreams(self) -> set[Upstream]:
        """Every instance that is in it."""
        sides = (side for endpoint in self.endpoints.values() for side in endpoint.sides.values())
        return {upstream for side in sides for upstream in side.upstreams}


EMPTY = Table(-1)
