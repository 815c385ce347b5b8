"""Latencies in buckets: fixed bounds, so that those of many gateways and minutes are added up."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

# Milliseconds; one more bucket holds what took longer.
BOUNDS_MS = (1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 10_000.0)
COLUMNS = tuple(f"b{number}" for number in range(len(BOUNDS_MS) + 1))


def bucket_of(milliseconds: float) -> int:
    """Which bucket a latency falls into."""
    return bisect_left(BOUNDS_MS, milliseconds)


def quantile(counts: Sequence[int], part: float) -> float | None:
    """The latency in ms that `part` of the answers stayed below, straight between a bucket's bounds; None without any.

    What took longer than the last bound counts as that bound.
    """
    total = sum(counts)
    if not total:
        return None
    wanted, passed = part * total, 0
    for number, count in enumerate(counts):
        if count and passed + count >= wanted:
            lower = BOUNDS_MS[number - 1] if number else 0.0
            upper = BOUNDS_MS[min(number, len(BOUNDS_MS) - 1)]
            return lower + (upper - lower) * max(0.0, wanted - passed) / count
        passed += count
    return BOUNDS_MS[-1]
