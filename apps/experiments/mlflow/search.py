from __future__ import annotations

from typing import Any

import orjson

from apps.core.actor import Actor, Scope
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import Int64, Request, check_most
from apps.experiments import access, rendering
from apps.experiments.search.ordering import check_max_results
from apps.experiments.search.runs import search_runs as search
from apps.experiments.search.views import View

MAX_RESULTS = 50_000


class SearchRuns(Request):
    experiment_ids: list[str] = []
    filter: str = ""
    run_view_type: str | int = View.ACTIVE_ONLY.value
    max_results: Int64 = 1000
    order_by: list[str] = []
    page_token: str = ""


@endpoint(Scope.TRACKING, reads=True, by_runs=True)
def search_runs(actor: Actor, request: SearchRuns) -> Any:
    check_most("max_results", request.max_results, MAX_RESULTS)
    page = search(
        actor,
        experiment_ids=access.visible_experiment_keys(actor, request.experiment_ids),
        text=request.filter,
        order_by=request.order_by,
        view=View.parse(request.run_view_type),
        max_results=check_max_results(request.max_results),
        page_token=request.page_token,
    )
    if not page.items:
        return {}
    runs = b",".join(rendering.render_runs(page.items))
    token = b',"next_page_token":' + orjson.dumps(page.next_token) if page.next_token else b""
    return b'{"runs":[' + runs + b"]" + token + b"}"


ROUTES = [Route("POST", "2.0/mlflow/runs/search", search_runs)]
