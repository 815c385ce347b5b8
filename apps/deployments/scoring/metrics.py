"""/metrics: the numbers of all workers in Prometheus' text form."""

from __future__ import annotations

from .board import (
    BATCH_ROWS,
    BATCHES,
    BUCKETS,
    CONNECTIONS,
    FIRST_BUCKET,
    IN_FLIGHT,
    PREDICT_SECONDS,
    READY,
    REFUSED,
    SECONDS,
    STATUSES,
    TIMEOUTS,
    Board,
)
from .calls import Answer
from .config import Config

KIND = b"text/plain; version=0.0.4; charset=utf-8"
_SIMPLE = (
    ("slipway_scoring_batches_total", "counter", "Predictions, each of one or more requests.", BATCHES),
    ("slipway_scoring_batched_rows_total", "counter", "Rows of these predictions.", BATCH_ROWS),
    ("slipway_scoring_predict_seconds_total", "counter", "Time of these predictions.", PREDICT_SECONDS),
    ("slipway_scoring_timeouts_total", "counter", "Requests that were answered 504.", TIMEOUTS),
    ("slipway_scoring_refused_total", "counter", "Requests that were answered 429.", REFUSED),
    ("slipway_scoring_in_flight", "gauge", "Requests that are being worked on.", IN_FLIGHT),
    ("slipway_scoring_connections", "gauge", "Open connections.", CONNECTIONS),
    ("slipway_scoring_workers", "gauge", "Worker processes.", READY),
)


def rendered(board: Board, config: Config) -> Answer:
    label = f'model="{_escaped(config.name)}",version="{_escaped(config.version)}"'
    lines: list[str] = []
    for name, kind, text, place in _SIMPLE:
        lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}", f"{name}{{{label}}} {board.total(place):.15g}"]
    name = "slipway_scoring_requests_total"
    lines += [f"# HELP {name} Requests that predict, by status.", f"# TYPE {name} counter"]
    for digit in range(4):
        count = board.total(STATUSES + digit)
        lines.append(f'{name}{{{label},status="{digit + 2}xx"}} {count:.15g}')
    lines += _histogram("slipway_scoring_request_duration_seconds", board, label)
    return Answer(200, ("\n".join(lines) + "\n").encode(), KIND)


def _histogram(name: str, board: Board, label: str) -> list[str]:
    lines = [f"# HELP {name} From a request's arrival to its answer.", f"# TYPE {name} histogram"]
    count = 0.0
    for place, bound in enumerate((*BUCKETS, float("inf"))):
        count += board.total(FIRST_BUCKET + place)
        end = "+Inf" if place == len(BUCKETS) else f"{bound:g}"
        lines.append(f'{name}_bucket{{{label},le="{end}"}} {count:.15g}')
    lines.append(f"{name}_sum{{{label}}} {board.total(SECONDS):.15g}")
    lines.append(f"{name}_count{{{label}}} {count:.15g}")
    return lines


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
