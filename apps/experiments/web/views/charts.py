"""Lines of metrics as JSON for the charts of our own pages."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from apps.core.errors import InvalidInput
from apps.core.http import ActorRequest, json_response
from apps.core.pages import methods
from apps.core.rules import signed_in
from apps.experiments import access
from apps.experiments.selectors import changes, charts, comparison

_DEFAULT_POINTS = 500
_MAX_KEYS = 48


@signed_in
@methods("GET")
def run_metrics(request: ActorRequest, run_id: str) -> HttpResponse:
    """`{"lines": [...]}` of the keys that the query names with `key=`, thinned to `points` by `axis`."""
    run = access.get_run(request.actor, run_id)
    return json_response(_lines([run], request))


@signed_in
@methods("GET")
def compared_metrics(request: ActorRequest) -> HttpResponse:
    """The same for many runs, `runs=a,b,c`; those that the caller can't see are left out."""
    wanted = [one for one in request.GET.get("runs", "").split(",") if one]
    if len(wanted) > comparison.MAX_RUNS:
        raise InvalidInput(f"At most {comparison.MAX_RUNS} runs can be compared at once.")
    return json_response(_lines(comparison.visible_runs(request.actor, wanted), request))


@signed_in
@methods("GET")
def run_news(request: ActorRequest, run_id: str) -> HttpResponse:
    """What a push would say, for pages whose WebSocket does not come through: status and latest values."""
    run = access.get_run(request.actor, run_id)
    return json_response(changes.changes_of(run, {"metrics"}, changes.Seen()))


def _lines(runs: list[Any], request: HttpRequest) -> dict[str, Any]:
    keys = request.GET.getlist("key")
    if not keys or len(keys) > _MAX_KEYS:
        raise InvalidInput(f"Name between 1 and {_MAX_KEYS} metrics with 'key'.")
    lines = charts.lines_of(runs, keys, points=_points(request), axis=_axis(request))
    return {"lines": [charts.line_as_json(line) for line in lines]}


def _points(request: HttpRequest) -> int:
    raw = request.GET.get("points", str(_DEFAULT_POINTS))
    if not raw.isascii() or not raw.isdigit() or len(raw) > 6 or not 3 <= int(raw) <= charts.MAX_POINTS:
        raise InvalidInput(f"'points' is a whole number from 3 to {charts.MAX_POINTS}.")
    return int(raw)


def _axis(request: HttpRequest) -> charts.Axis:
    match request.GET.get("axis", "step"):
        case "step":
            return "step"
        case "time":
            return "time"
        case _:
            raise InvalidInput("'axis' is 'step' or 'time'.")
