"""What came through the gateway: rates, errors and latencies of deployments, added up over time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Sum

from apps.deployments.actions.common import now_ms
from apps.deployments.histogram import COLUMNS, quantile
from apps.deployments.models import Deployment, TrafficMinute
from apps.deployments.selectors.points import Point, Span, traffic_in

HOUR = 60
# What charts show, by what people choose: minutes altogether, and minutes in each of their points.
RANGES = {"1h": (60, 1), "6h": (360, 5), "24h": (1440, 15), "7d": (10_080, 120)}
_RECENT_MINUTES = 5
_SUMS = ("requests", "client_errors", "server_errors", "unreached", *COLUMNS)


@dataclass
class Traffic:
    """What was counted in a time. `by_minute`: requests in each of the last 60 minutes, the oldest first.

    `errors` are answers that say the model's side failed, and calls that did not come to it.
    """

    requests: int = 0
    client_errors: int = 0
    server_errors: int = 0
    unreached: int = 0
    buckets: list[int] = field(default_factory=lambda: [0] * len(COLUMNS))
    by_minute: list[int] = field(default_factory=lambda: [0] * HOUR)
    # Seconds of the minute that goes on: by it the rate of the last minutes is known.
    seconds: float = 0

    @property
    def errors(self) -> int:
        """5xx, and what was not brought to a model."""
        return self.server_errors + self.unreached

    @property
    def error_share(self) -> float:
        """In percent of all."""
        return 100 * self.errors / self.requests if self.requests else 0.0

    @property
    def p50(self) -> float | None:
        """Milliseconds."""
        return quantile(self.buckets, 0.5)

    @property
    def p95(self) -> float | None:
        """Milliseconds."""
        return quantile(self.buckets, 0.95)

    @property
    def rate(self) -> float:
        """Requests a second, in the last five whole minutes and the one that goes on."""
        recent = sum(self.by_minute[-_RECENT_MINUTES - 1 :])
        return recent / (_RECENT_MINUTES * 60 + self.seconds)

    def add(self, counts: Sequence[int]) -> None:
        """Add a row of sums, in the order of the statement's columns."""
        requests, client, server, unreached, *buckets = (int(count or 0) for count in counts)
        self.requests += requests
        self.client_errors += client
        self.server_errors += server
        self.unreached += unreached
        self.buckets = [one + more for one, more in zip(self.buckets, buckets, strict=True)]


def traffic_of(deployments: Iterable[Deployment]) -> dict[int, Traffic]:
    """The last hour of each deployment, by key. Two statements."""
    return _last_hour([deployment.pk for deployment in deployments], "revision__deployment")


def traffic_of_revisions(keys: Iterable[int], since_ms: int = 0) -> dict[int, Traffic]:
    """The last hour of each revision, or less, from the minute of `since_ms` on, by key. Two statements."""
    return _last_hour(list(keys), "revision", since_ms // 60_000)


def series_of(deployment: Deployment, span: str) -> dict[str, Any]:
    """What the charts of a deployment draw. One statement.

    `times`: ms since the epoch at which each point begins; `seconds`: how long each is. `revisions`: of each that got
    something its `number` and, point by point, `requests`, `client_errors`, `errors`, `p50` and `p95` (ms, or null).
    """
    minutes, step = RANGES.get(span, RANGES["1h"])
    within = Span.of(minutes, step, None)
    starts = [minute * 60_000 for minute in range(within.first, within.last + 1, step)]
    found = traffic_in(deployment, within)["revisions"]
    revisions = [{"number": each["revision"], **_drawn(starts, each["points"])} for each in found]
    return {"span": span, "seconds": step * 60, "times": starts, "revisions": revisions}


def _drawn(starts: Sequence[int], points: Iterable[Point]) -> dict[str, Any]:
    """A value for each start: where nothing came there is no point."""
    known = {point.from_ms: point for point in points}
    line = [known.get(start) or Point(start) for start in starts]
    return {
        "requests": [point.requests for point in line],
        "client_errors": [point.client_errors for point in line],
        "errors": [point.errors for point in line],
        "p50": [point.p50_ms for point in line],
        "p95": [point.p95_ms for point in line],
    }


def _last_hour(keys: list[int], of: str, since: int = 0) -> dict[int, Traffic]:
    now, seconds = divmod(now_ms() / 1000, 60)
    first = int(now) - HOUR + 1
    within = {f"{of}__in": keys, "minute__gte": max(first, since), "minute__lte": int(now)}
    found = TrafficMinute.objects.filter(**within).order_by()
    traffic = {key: Traffic(seconds=seconds) for key in keys}
    for key, *counts in found.values_list(of).annotate(**{f"all_{name}": Sum(name) for name in _SUMS}):
        traffic[key].add(counts)
    for key, minute, count in found.values_list(of, "minute").annotate(all_requests=Sum("requests")):
        traffic[key].by_minute[minute - first] += count
    return traffic
