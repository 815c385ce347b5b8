"""Storing what scripts log: one call is one transaction, in one statement on PostgreSQL.

The statements are written by hand because this is the hottest path of the product: they check the run and the
caller's right, insert the points, carry the latest value, extremes and count of each series along, and keep params
written once, whatever the size of the call. A call sent twice changes nothing.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from django.db import DatabaseError, connection

from apps.experiments.hot import Reach

T = TypeVar("T")

RUN_NAME_TAG = "mlflow.runName"
PARENT_TAG = "mlflow.parentRunId"
_ATTEMPTS = 8
# Serialization failure, deadlock, and a run that was removed for good meanwhile (the next attempt doesn't see it).
_RETRIED_STATES = {"40001", "40P01", "23503"}


class Value(NamedTuple):
    """One value of a metric, in the stored form (see `apps.experiments.models.metrics`)."""

    key: str
    step: int
    timestamp: int
    value: float
    is_nan: bool


class Summary(NamedTuple):
    """What a batch says about one series: the latest of its values, the extremes, how many."""

    key: str
    last: Value
    min_value: float | None
    max_value: float | None
    size: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What one call logs, validated. `values` has no duplicates."""

    values: Sequence[Value] = ()
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def run_name(self) -> str | None:
        """The new name of the run, where the tags give one."""
        return self.tags.get(RUN_NAME_TAG)

    @property
    def parent_run_id(self) -> str | None:
        """The parent of the run, where the tags give one."""
        return parent_of(self.tags) if PARENT_TAG in self.tags else None


@dataclass(frozen=True, slots=True)
class Stored:
    """The run that was written to. With `clashes` (params with their old values) nothing was written."""

    run_pk: int
    clashes: Mapping[str, str]


class Raced(Exception):
    """Another call made the same series or param in this instant; nothing was stored, and now it is there to see."""


def store(run_id: str, batch: Batch, reach: Reach) -> Stored | None:
    """Store a batch, or nothing of it. None: there is no such run outside of the trash within `reach`."""
    if connection.vendor == "postgresql":
        from apps.experiments.ingest_postgres import store as backend
    else:
        from apps.experiments.ingest_sqlite import store as backend
    return with_retries(lambda: backend(run_id, batch, reach))


def parent_of(tags: Mapping[str, str]) -> str:
    """The parent's run id that the tags name; empty for what can't be one."""
    named = tags.get(PARENT_TAG, "")
    return named if len(named) <= 36 else ""


def unique(values: Iterable[Value]) -> list[Value]:
    """Without duplicates, in the order of first sight."""
    return list(dict.fromkeys(values))


def summarise(values: Sequence[Value]) -> list[Summary]:
    """What the values say about each series, by key: the order in which rows are locked."""
    by_key: dict[str, list[Value]] = {}
    for value in values:
        by_key.setdefault(value.key, []).append(value)
    return [_summary(key, by_key[key]) for key in sorted(by_key)]


def _summary(key: str, values: Sequence[Value]) -> Summary:
    last = max(values, key=lambda value: value[1:])
    numbers = [value.value for value in values if not value.is_nan]
    return Summary(key, last, min(numbers, default=None), max(numbers, default=None), len(values))


def with_retries(work: Callable[[], T]) -> T:
    """Run a transaction again after a deadlock, a serialization failure or a race; a bounded number of times.

    Inside somebody's transaction it runs once: that one has to start over as a whole.
    """
    if connection.in_atomic_block:
        return work()
    for attempt in range(_ATTEMPTS):
        try:
            return work()
        except (DatabaseError, Raced) as error:
            if attempt == _ATTEMPTS - 1 or not _passes(error):
                raise
        # Jitter parts those who met.
        time.sleep(random.uniform(0, 0.004 * 2**attempt))  # noqa: S311
    raise AssertionError("unreachable")


def _passes(error: Exception) -> bool:
    if isinstance(error, Raced):
        return True
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) in _RETRIED_STATES or "database is locked" in str(error)
