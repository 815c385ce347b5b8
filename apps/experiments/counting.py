"""How much scripts log, for Prometheus: counted once it is stored."""

from __future__ import annotations

from prometheus_client import Counter

from apps.experiments.ingest import Batch

_CALLS = Counter("slipway_ingest_calls", "Calls that logged values, params or tags.")
_POINTS = Counter("slipway_ingest_points", "Values of metrics that came in; those sent again count again.")
_PARAMS = Counter("slipway_ingest_params", "Params that came in.")
_TAGS = Counter("slipway_ingest_tags", "Tags of runs that came in.")


def count(batch: Batch) -> None:
    """Count a call that was stored."""
    _CALLS.inc()
    for counter, what in ((_POINTS, batch.values), (_PARAMS, batch.params), (_TAGS, batch.tags)):
        if what:
            counter.inc(len(what))
