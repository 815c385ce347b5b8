from __future__ import annotations

import pytest

from tests.contract.transcript import Scenario, Transcript, assert_same
from tests.servers import Server

T = 1_700_000_000_000

FILTERS = [
    "metrics.acc > 0.5",
    "metrics.acc >= 0.5 AND metrics.acc < 0.9",
    "metrics.acc != 0.5",
    "metrics.`acc` = 0.5",
    'metrics."with space" = 1',
    "metric.acc > 0.5",
    "metrics.none > 0",
    "params.kernel = 'linear'",
    "params.kernel != 'linear'",
    "params.kernel LIKE 'l%'",
    "params.kernel LIKE 'L%'",
    "params.kernel ILIKE 'L%'",
    'parameter.kernel = "rbf"',
    "params.c = '1'",
    "tags.team = 'red'",
    "tag.team != 'red'",
    "tags.`mlflow.runName` = 'run-1'",
    "tags.team IN ('red', 'blue')",
    "attributes.status = 'FINISHED'",
    "status != 'FINISHED'",
    "attribute.run_name LIKE 'run-%'",
    "run_name = 'run-2'",
    "`run name` = 'run-2'",
    "attributes.`Run name` ILIKE 'RUN-3'",
    "start_time >= 1700000000002",
    "start_time < 1700000000002 AND params.kernel = 'rbf'",
    "end_time > 0",
    "user_id = 'ada'",
    "dataset.name = 'iris'",
    "datasets.name LIKE 'ir%'",
    "dataset.digest = 'abc'",
    "dataset.context = 'training'",
    "params.kernel = 'linear' AND metrics.acc > 0.1 AND tags.team = 'red' AND status = 'FINISHED'",
    "params.kernel IS NULL",
    "params.kernel IS NOT NULL",
    "tags.team IS NULL",
    "metrics.acc IS NOT NULL",
    "",
]
BAD_FILTERS = [
    "metrics.acc", "metrics.acc >", "metrics.acc > 'x'", "params.kernel = linear", "params.kernel > 'a'",
    "params.kernel = 5", "status > 'FINISHED'", "nonsense.x = 'y'", "nonsense = 'y'", "metrics.acc LIKE 'x'",
    "metrics.acc > 0.5 OR metrics.acc < 0.1 OR", "start_time = 'x'", "start_time LIKE '1'", "params.kernel = 'a", "()",
    "run_id > 'x'", "metrics.acc = 0.5;", "artifact_uri > 'x'", "1 = 1",
    "params.__class__ = x", "tags.team IN ()", "dataset.nonsense = 'x'",
]  # fmt: skip
ORDERS = [
    ["metrics.acc DESC"], ["metrics.acc ASC"], ["params.kernel ASC", "start_time DESC"], ["tags.team"],
    ["attributes.start_time DESC"], ["start_time"], ["run_name DESC"], ["status", "metrics.acc"], ["end_time"],
    ["metrics.nowhere"], ["params.kernel"], ["`Run name`"], ["attribute.run_id"],
]  # fmt: skip
BAD_ORDERS = [["nonsense"], ["metrics.acc UP"], ["metrics"], [""], ["metrics.acc DESC ASC"], [5], "metrics.acc"]


def fill(call: Transcript, name: str) -> str:
    """Six runs that differ in everything a filter can name."""
    experiment_id = call.experiment(name)
    for number in range(6):
        run_id = call.run(
            experiment_id,
            user_id="ada" if number % 2 else "ben",
            run_name=f"run-{number}",
            start_time=T + number,
            tags=[{"key": "team", "value": ["red", "blue", "green"][number % 3]}] if number else [],
        )
        metrics = [{"key": "acc", "value": [0.1, 0.5, 0.9, "NaN", 0.5, 0.7][number], "timestamp": T, "step": 1}]
        metrics += [{"key": "with space", "value": number, "timestamp": T, "step": 1}]
        params = [{"key": "kernel", "value": "linear" if number < 3 else "rbf"}] if number != 5 else []
        params += [{"key": "c", "value": str(number)}]
        call("POST", "runs/log-batch", {"run_id": run_id, "metrics": metrics if number != 4 else [], "params": params})
        if number % 2:
            call("POST", "runs/update", {"run_id": run_id, "status": "FINISHED", "end_time": T + 10 * number})
        if number == 2:
            dataset = {"name": "iris", "digest": "abc", "source_type": "local", "source": "{}"}
            context = [{"key": "mlflow.data.context", "value": "training"}]
            call("POST", "runs/log-inputs", {"run_id": run_id, "datasets": [{"tags": context, "dataset": dataset}]})
    return experiment_id


def filters(call: Transcript) -> None:
    experiment_id = fill(call, "filters")
    for filter_string in FILTERS:
        body = {
            "experiment_ids": [experiment_id],
            "filter": filter_string,
            "max_results": 100,
            "order_by": ["run_name"],
        }
        call("POST", "runs/search", body, words=False)


def bad_filters(call: Transcript) -> None:
    experiment_id = call.experiment("bad filters")
    two_values = {"experiment_ids": [experiment_id], "filter": "params.kernel = 'a' 'b'"}
    lone = {"experiment_ids": [experiment_id], "filter": "AND"}
    call("POST", "runs/search", lone, ours=(400, "a conjunction of nothing is no filter"))
    call("POST", "runs/search", two_values, words=False)
    for filter_string in BAD_FILTERS:
        call("POST", "runs/search", {"experiment_ids": [experiment_id], "filter": filter_string}, words=False)


def orders(call: Transcript) -> None:
    experiment_id = fill(call, "orders")
    for order in ORDERS:
        if order != ["attribute.run_id"]:
            call(
                "POST",
                "runs/search",
                {"experiment_ids": [experiment_id], "order_by": [*order, "run_name"]},
                words=False,
            )
    for bad in BAD_ORDERS:
        call("POST", "runs/search", {"experiment_ids": [experiment_id], "order_by": bad}, words=False)


def pages(call: Transcript) -> None:
    experiment_id = fill(call, "pages")
    for order in (["metrics.acc DESC"], ["params.kernel"], [], ["tags.team", "start_time DESC"]):
        body = {"experiment_ids": [experiment_id], "order_by": order, "max_results": 2}
        for _ in range(4):
            answer = call("POST", "runs/search", body)
            body = {**body, "page_token": answer.get("next_page_token", "")}
    call("POST", "runs/search", {"experiment_ids": [experiment_id], "page_token": "junk"}, words=False)
    for results in (0, -1, 50_001, "abc"):
        call("POST", "runs/search", {"experiment_ids": [experiment_id], "max_results": results}, words=False)


def views(call: Transcript) -> None:
    experiment_id = fill(call, "views")
    found = call("POST", "runs/search", {"experiment_ids": [experiment_id], "filter": "run_name = 'run-1'"})
    call("POST", "runs/delete", {"run_id": found["runs"][0]["info"]["run_id"]})
    for view in ("ACTIVE_ONLY", "DELETED_ONLY", "ALL"):
        body = {"experiment_ids": [experiment_id], "run_view_type": view, "order_by": ["run_name"]}
        call("POST", "runs/search", body)
    call("POST", "runs/search", {"experiment_ids": [experiment_id], "run_view_type": "NONSENSE"}, words=False)
    call("POST", "runs/search", {"experiment_ids": []})
    call("POST", "runs/search", {"experiment_ids": ["987654321"]})
    call("POST", "runs/search", {"experiment_ids": [experiment_id, "987654321"], "filter": "run_name = 'run-2'"})


SCENARIOS = [filters, bad_filters, orders, pages, views]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_it_answers_as_the_peer(scenario: Scenario, theirs: Server, ours: Server) -> None:
    assert_same(scenario, theirs, ours)
