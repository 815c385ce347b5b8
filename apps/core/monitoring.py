"""What Prometheus reads: calls, counted as they are answered, and gauges, read when it asks.

With several web processes set `PROMETHEUS_MULTIPROC_DIR` to an empty folder for each start; else each process tells
its own counts.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.http import HttpRequest
from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

logger = logging.getLogger(__name__)

# When each series began is of no use here, and would be every second one.
disable_created_metrics()  # type: ignore[no-untyped-call]
_BUCKETS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_REQUESTS = Counter("slipway_http_requests", "Calls answered.", ["kind", "route", "method", "status"])
_SECONDS = Histogram(
    "slipway_http_request_seconds", "Time to the answer's head.", ["kind", "method", "class"], buckets=_BUCKETS
)
_ROUTE_SECONDS = Counter("slipway_http_route_seconds", "Time to the heads of answers, added up.", ["route"])
Children = tuple[Counter, Histogram, Counter]
_children: dict[tuple[str, str, str | None, int], Children] = {}
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
# Few kinds, by the paths' beginnings: bounds of latency mean something within one kind alone.
_KINDS = (
    ("/api/2.0/mlflow-artifacts/", "files"),
    ("/ajax-api/2.0/mlflow-artifacts/", "files"),
    ("/get-artifact", "files"),
    ("/model-versions/get-artifact", "files"),
    ("/api/v1/", "api"),
    ("/api/schema", "page"),
    ("/api/docs", "page"),
    ("/api/", "protocol"),
    ("/ajax-api/", "protocol"),
    ("/static/", "static"),
    ("/health", "watching"),
    ("/version", "watching"),
    ("/metrics", "watching"),
)


@dataclass(frozen=True, slots=True)
class Gauge:
    """A number that is read when Prometheus asks; a reader that fails leaves its line out."""

    name: str
    help: str
    read: Callable[[], float | None]


_gauges: dict[str, Gauge] = {}


def declare_gauge(name: str, help: str, read: Callable[[], float | None]) -> None:
    """Add a gauge. Apps call this in `gauges.py`."""
    if name in _gauges:
        raise ValueError(f"gauge {name} is declared twice")
    _gauges[name] = Gauge(name, help, read)


_families: list[Callable[[], Iterable[Metric]]] = []


def declare_families(read: Callable[[], Iterable[Metric]]) -> None:
    """Add numbers that are read together, or have labels. Apps call this in `gauges.py`."""
    _families.append(read)


def gauge_of(name: str, help: str, numbers: Iterable[tuple[tuple[str, ...], float]], *labels: str) -> Metric:
    """A gauge with labels: `numbers` are pairs of the labels' values and the number."""
    family = GaugeMetricFamily(name, help, labels=labels)
    for values, number in numbers:
        family.add_metric(values, number)
    return family


def kind_of(path: str) -> str:
    """The kind of a call: `protocol`, `files`, `api`, `page`, `static` or `watching`."""
    for beginning, kind in _KINDS:
        if path.startswith(beginning):
            return kind
    return "page"


def observe(request: HttpRequest, status: int, seconds: float) -> None:
    """Count an answered call. Route names come from our tables, so that callers can't make up labels."""
    key = (kind_of(request.path_info), route_of(request), request.method, status)
    children = _children.get(key) or _children_of(*key)
    children[0].inc()
    children[1].observe(seconds)
    children[2].inc(seconds)


def _children_of(kind: str, route: str, method: str | None, status: int) -> Children:
    """Found once and kept: looking labels up costs more than counting."""
    known = method if method in _METHODS else "other"
    found = (
        _REQUESTS.labels(kind, route, known, str(status)),
        _SECONDS.labels(kind, known, f"{status // 100}xx"),
        _ROUTE_SECONDS.labels(route),
    )
    if known == method:
        _children[kind, route, method, status] = found
    return found


def exposition() -> bytes:
    """All metrics in Prometheus' text form."""
    registry: CollectorRegistry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    own = CollectorRegistry()
    own.register(_Gauges())
    return generate_latest(registry) + generate_latest(own)


class _Gauges:
    def collect(self) -> Iterable[Metric]:
        """One family for each gauge that could be read."""
        for gauge in _gauges.values():
            value = _read(gauge)
            if value is not None:
                yield GaugeMetricFamily(gauge.name, gauge.help, value=value)
        for families in _families:
            yield from _all_of(families)


def _all_of(families: Callable[[], Iterable[Metric]]) -> list[Metric]:
    try:
        return list(families())
    except Exception as error:  # noqa: BLE001 - one part that is away must not hide the others
        logger.warning("metrics: %s: %s", families.__name__, error)
        return []


def _read(gauge: Gauge) -> float | None:
    try:
        return gauge.read()
    except Exception as error:  # noqa: BLE001 - one part that is away must not hide the others
        logger.warning("metrics: %s: %s", gauge.name, error)
        return None


def route_of(request: HttpRequest) -> str:
    """The name of the route that a request took, as our tables have it."""
    named: str | None = getattr(request, "route_name", None)
    if named is not None:
        return named
    match = request.resolver_match
    if match is None:
        return "unknown"
    return match.view_name or match.route or "unknown"
