"""Reads the table from the database: five statements, whatever its size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from django.db.models import Q

from apps.deployments.configuration import Config
from apps.deployments.gateway.balancing import Split
from apps.deployments.gateway.table import Endpoint, Side, Table
from apps.deployments.gateway.upstream import Upstream
from apps.deployments.models import Deployment, Instance, InstanceState, Revision, Route, ServingEpoch

Find = Callable[[int, str, str], Upstream]


def read_epoch() -> int:
    """The number that changes move on; 0 before the first."""
    return ServingEpoch.objects.values_list("number", flat=True).first() or 0


def read_table(find: Find, before: Table) -> Table:
    """The table as of now. `find(pk, address, key)` gives the instance that is known already, or a new one.

    What a split has come to is kept from the table `before`, where its weights are the same.
    """
    # First, so that a change that comes while the rest is read is read again.
    epoch = read_epoch()
    weights: dict[int, dict[int, int]] = defaultdict(dict)
    for deployment, number, weight in Route.objects.values_list("deployment_id", "revision__number", "weight"):
        weights[deployment][number] = weight
    sides = _sides(_upstreams(find))
    rows = Deployment.objects.values_list(
        "pk", "name", "team_id", "owner_id", "is_stopped", "port", "port_host", "port_open", named=True
    )
    return Table(epoch, [_endpoint(row, weights[row.pk], sides[row.pk], before) for row in rows])


def _upstreams(find: Find) -> dict[int, list[Upstream]]:
    ready = Instance.objects.filter(state=InstanceState.READY).exclude(address="").order_by("pk")
    found = defaultdict(list)
    for pk, revision, address, key in ready.values_list("pk", "revision_id", "address", "key"):
        found[revision].append(find(pk, address, key))
    return found


def _sides(upstreams: Mapping[int, list[Upstream]]) -> dict[int, dict[int, Side]]:
    used = Revision.objects.filter(Q(routes__weight__gt=0) | Q(instances__state=InstanceState.READY)).distinct()
    found: dict[int, dict[int, Side]] = defaultdict(dict)
    for row in used.values_list("pk", "deployment_id", "number", "version_number", "config", named=True):
        config = _config(row.config)
        side = Side(
            row.pk,
            row.number,
            row.version_number,
            float(config.timeout_s),
            config.max_body_mb * 1024 * 1024,
            config.sticky_header.lower().encode(),
            config.calls_per_minute,
            tuple(upstreams.get(row.pk, ())),
        )
        found[row.deployment_id][row.number] = side
    return found


def _endpoint(row: Any, weights: Mapping[int, int], sides: Mapping[int, Side], before: Table) -> Endpoint:
    leading = _leading(weights, sides)
    known = before.endpoints.get(row.name.lower().encode())
    split = Split(weights)
    if known is not None and known.pk == row.pk and known.split.weights == split.weights:
        split = known.split
    return Endpoint(
        pk=row.pk,
        name=row.name,
        team_id=row.team_id,
        owner_id=row.owner_id,
        is_stopped=row.is_stopped,
        split=split,
        sides=sides,
        sticky_header=leading.sticky_header if leading else b"",
        calls_per_minute=leading.calls_per_minute if leading else None,
        port=(row.port_host, row.port, row.port_open) if row.port else None,
    )


def _leading(weights: Mapping[int, int], sides: Mapping[int, Side]) -> Side | None:
    """The revision with the largest share of the traffic, of equal ones the older."""
    number = max(weights, key=lambda each: (weights[each], -each), default=0)
    return sides.get(number)


def _config(kept: Mapping[str, Any]) -> Config:
    """A row that somebody broke must not take the others with it: it is served as usual."""
    try:
        return msgspec.convert(dict(kept), Config)
    except (msgspec.ValidationError, TypeError, ValueError):
        return Config()
