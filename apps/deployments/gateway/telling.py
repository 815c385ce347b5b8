"""What Prometheus reads of the calls that this process brought to models: added up when rows are written, a few times
a minute, so that no call pays for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import Counter, Histogram

from apps.deployments.histogram import BOUNDS_MS

_CALLS = Counter("slipway_serving_requests", "Calls through this gateway.", ["deployment", "outcome"])
_SECONDS = Histogram(
    "slipway_serving_request_seconds",
    "Time to the head of a model's answer, or until it was given up.",
    ["deployment"],
    buckets=[bound / 1000 for bound in BOUNDS_MS],
)


def tell(deployment: str, values: Sequence[float]) -> None:
    """Add what was counted of a deployment: requests, 4xx, 5xx, unreached, milliseconds, and the buckets."""
    requests, client_errors, server_errors, unreached, milliseconds, *buckets = values
    outcomes = {
        "ok": requests - client_errors - server_errors - unreached,
        "client_error": client_errors,
        "server_error": server_errors,
        "unreached": unreached,
    }
    for outcome, count in outcomes.items():
        _CALLS.labels(deployment, outcome).inc(max(0, count))
    histogram = _SECONDS.labels(deployment)
    # The library observes one at a time, and has no other way to take what was sorted into its buckets already.
    histogram._sum.inc(milliseconds / 1000)
    for bucket, count in zip(histogram._buckets, buckets, strict=True):
        if count:
            bucket.inc(count)
