"""Traffic of a deployment over any bounded time, in steps that the database adds up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Sum, Value

from apps.core.errors import InvalidInput
from apps.deployments.actions.common import now_ms
from apps.deployments.histogram import COLUMNS, quantile
from apps.deployments.models import Deployment, TrafficMinute

MAX_MINUTES = 31 * 24 * 60
MAX_POINTS = 1500
_USUAL_POINTS = 120
_MINUTE_MS = 60_000
_COUNTS = ("requests", "client_errors", "server_errors", "unreached")
# Steps that people read easily, in minutes.
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 240, 360, 720, 1440)


@dataclass
class Point:
    """What was counted from `from_ms` on for one step."""

    from_ms: int
    requests: int = 0
    client_errors: int = 0
    server_errors: int = 0
    unreached: int = 0
    buckets: list[int] = field(default_factory=lambda: [0] * len(COLUMNS))

    @property
    def errors(self) -> int:
        """5xx, and what was not brought to a model."""
        return self.server_errors + self.unreached

    @property
    def p50_ms(self) -> float | None:
        """The latency that half of the answers stayed below."""
        return quantile(self.buckets, 0.5)

    @property
    def p95_ms(self) -> float | None:
        """That of 95 in 100."""
        return quantile(self.buckets, 0.95)

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a row of sums."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + row[f"sum_{name}"])
        self.buckets = [count + row[f"sum_{name}"] for count, name in zip(self.buckets, COLUMNS, strict=True)]


@dataclass(frozen=True, slots=True)
class Span:
    """Minutes since the epoch, the last one included, and the minutes of each step."""

    first: int
    last: int
    step: int

    @classmethod
    def of(cls, minutes: int, step: int | None, until_ms: int | None) -> Span:
        """Whole steps that hold the time wanted. Raises `InvalidInput` for more points than anybody draws."""
        width = step or next((each for each in _STEPS if minutes / each <= _USUAL_POINTS), _STEPS[-1])
        if minutes / width > MAX_POINTS:
            raise InvalidInput(f"step: {minutes} minutes in steps of {width} are more than {MAX_POINTS} points.")
        last = (now_ms() if until_ms is None else until_ms) // _MINUTE_MS
        return cls((last - minutes + 1) // width * width, last, width)


def traffic_in(deployment: Deployment, span: Span, revision: int | None = None) -> dict[str, Any]:
    """As the API shows it: `points` of all together, and those of each revision. One statement."""
    found = TrafficMinute.objects.filter(
        revision__deployment=deployment, minute__gte=span.first, minute__lte=span.last
    ).order_by()
    if revision is not None:
        found = found.filter(revision__number=revision)
    sums = {f"sum_{name}": Sum(name) for name in (*_COUNTS, *COLUMNS)}
    steps = found.annotate(point=F("minute") - F("minute") % Value(span.step))
    together: dict[int, Point] = {}
    alone: dict[int, dict[int, Point]] = {}
    for row in steps.values("revision__number", "point").annotate(**sums):
        at = int(row["point"])
        for points in (together, alone.setdefault(row["revision__number"], {})):
            points.setdefault(at, Point(at * _MINUTE_MS)).add(row)
    return {
        "from_ms": span.first * _MINUTE_MS,
        "until_ms": (span.last + 1) * _MINUTE_MS,
        "step_minutes": span.step,
        "points": _in_order(together),
        "revisions": [{"revision": number, "points": _in_order(alone[number])} for number in sorted(alone)],
    }


def _in_order(points: dict[int, Point]) -> list[Point]:
    return [points[at] for at in sorted(points)]
