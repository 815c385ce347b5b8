"""Reading metrics: a history, whole or in pages, and histories of many runs as charts take them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from django.http import StreamingHttpResponse

from apps.core.actor import Actor, Scope
from apps.core.errors import InvalidInput
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import SEE_DOCS, Int64, Request, RunRequest
from apps.core.pagination import decode_token, encode_token, query_fingerprint
from apps.experiments import access, history
from apps.experiments.history import CHUNK, Spot
from apps.experiments.models import Run

MAX_RUNS = 100
MAX_BULK = 25_000
MAX_SAMPLE = 2_500


class GetHistory(RunRequest):
    required = ("run_id", "metric_key")
    metric_key: str = ""
    max_results: Int64 | None = None
    page_token: str = ""


class GetHistoryBulk(Request):
    run_id: list[str] = []
    metric_key: str = ""
    max_results: Int64 = MAX_BULK


class GetHistoryBulkInterval(Request):
    required = ("metric_key",)
    run_ids: list[str] = []
    metric_key: str = ""
    start_step: Int64 | None = None
    end_step: Int64 | None = None
    max_results: Int64 = MAX_SAMPLE


@endpoint(Scope.TRACKING, reads=True, by_runs=True)
def get_history(actor: Actor, request: GetHistory) -> Any:
    run = access.get_run(actor, request.run_id)
    fingerprint = query_fingerprint(actor, "history", run.pk, request.metric_key)
    after = _position(fingerprint, request.page_token) if request.page_token else None
    if request.max_results is None:
        return _whole(run, request.metric_key, after)
    return _page(run, request.metric_key, after, _page_size(request.max_results), fingerprint)


@endpoint(Scope.TRACKING, reads=True, by_runs=True)
def get_history_bulk(actor: Actor, request: GetHistoryBulk) -> Any:
    if not request.run_id:
        raise InvalidInput("GetMetricHistoryBulk request must specify at least one run_id.")
    if len(request.run_id) > MAX_RUNS:
        raise InvalidInput(
            f"GetMetricHistoryBulk request cannot specify more than {MAX_RUNS} run_ids. "
            f"Received {len(request.run_id)} run_ids."
        )
    if not request.metric_key:
        raise InvalidInput("GetMetricHistoryBulk request must specify a metric_key.")
    if request.max_results < 0:
        raise InvalidInput(f"Invalid value {request.max_results} for parameter 'max_results' supplied.")
    limit = min(request.max_results, MAX_BULK)
    return {"metrics": history.points_of_runs(actor, request.run_id, request.metric_key, limit=limit)}


@endpoint(Scope.TRACKING, reads=True, by_runs=True)
def get_history_bulk_interval(actor: Actor, request: GetHistoryBulkInterval) -> Any:
    if not request.run_ids:
        raise InvalidInput(f"Missing value for required parameter 'run_ids'.{SEE_DOCS}")
    if len(request.run_ids) > MAX_RUNS:
        raise InvalidInput(
            f"GetMetricHistoryBulkInterval request must specify at most {MAX_RUNS} run_ids. "
            f"Received {len(request.run_ids)} run_ids.{SEE_DOCS}"
        )
    if not 1 <= request.max_results <= MAX_SAMPLE:
        raise InvalidInput(f"max_results must be between 1 and {MAX_SAMPLE}.{SEE_DOCS}")
    steps = _steps(request.start_step, request.end_step)
    sample = history.sample_of_runs(actor, request.run_ids, request.metric_key, most=request.max_results, steps=steps)
    return {"metrics": sample} if sample else {}


def _steps(start: int | None, end: int | None) -> tuple[int, int] | None:
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise InvalidInput("If either start step or end step are specified, both must be specified.")
    if start > end:
        raise InvalidInput(f"end_step must be greater than start_step. Found start_step={start} and end_step={end}.")
    return start, end


def _page_size(asked: int) -> int:
    if asked <= 0:
        raise InvalidInput(
            f"Invalid value {asked} for parameter 'max_results' supplied. It must be a positive integer."
        )
    if asked > CHUNK:
        raise InvalidInput(f"Invalid value {asked} for parameter 'max_results' supplied. It must be at most {CHUNK}.")
    return asked


def _position(fingerprint: str, token: str) -> Spot:
    timestamp, step, value, is_nan = decode_token(fingerprint, token)
    return Spot(timestamp, step, value, is_nan)


def _page(run: Run, key: str, after: Spot | None, size: int, fingerprint: str) -> bytes | dict[str, Any]:
    points = history.points_of(run, key, limit=size + 1, after=after)
    if not points:
        return {}
    if len(points) <= size:
        return _listed(history.json_of(points, key))
    token = encode_token(fingerprint, list(points[size - 1]))
    more = b',"next_page_token":"' + token.encode() + b'"'
    return b'{"metrics":[' + history.json_of(points[:size], key) + b"]" + more + b"}"


def _whole(run: Run, key: str, after: Spot | None) -> Any:
    points = history.points_of(run, key, limit=CHUNK, after=after)
    if not points:
        return {}
    first = history.json_of(points, key)
    if len(points) < CHUNK:
        return _listed(first)
    pieces: Iterator[bytes] = chain((b'{"metrics":[', first), history.rest_of(run, key, points[-1]), (b"]}",))
    return StreamingHttpResponse(pieces, content_type="application/json")


def _listed(items: bytes) -> bytes:
    return b'{"metrics":[' + items + b"]}"


ROUTES = [
    Route("GET", "2.0/mlflow/metrics/get-history", get_history),
    Route("GET", "2.0/mlflow/metrics/get-history-bulk", get_history_bulk),
    Route("GET", "2.0/mlflow/metrics/get-history-bulk-interval", get_history_bulk_interval),
]
