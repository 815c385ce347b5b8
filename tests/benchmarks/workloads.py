"""What is measured of tracking and files, and the list of all that is."""

from __future__ import annotations

import json
import os
import statistics
import time
from typing import ClassVar

from tests.benchmarks.http import JSON, Caller, in_parallel
from tests.benchmarks.peers import Peer
from tests.benchmarks.registry import REGISTRY_WORKLOADS
from tests.benchmarks.workload import CLIENTS, Workload

T = 1_700_000_000_000


class LogMetric(Workload):
    name, title, unit = "W1", "one `log-metric` a call", "calls/s"

    def measure(self, peer: Peer, caller: Caller) -> float:
        experiment_id = caller.experiment(self.name)
        callers = [caller.again() for _ in range(CLIENTS)]
        runs = {id(each): caller.run(experiment_id) for each in callers}

        def log(each: Caller, turn: int) -> int:
            body = {"run_id": runs[id(each)], "key": "loss", "value": turn / 7, "timestamp": T + turn, "step": turn}
            each.raw("POST", "/api/2.0/mlflow/runs/log-metric", json.dumps(body), JSON)
            return 1

        count, took = in_parallel(callers, log, self.seconds)
        assert sum(_points(caller, run_id, "loss") for run_id in runs.values()) == count
        return count / took


class LogBatch(Workload):
    name, title, unit = "W2", "`log-batch` of 1000 metrics", "metrics/s"
    size: ClassVar[int] = 1000

    def measure(self, peer: Peer, caller: Caller) -> float:
        experiment_id = caller.experiment(self.name)
        callers = [caller.again() for _ in range(CLIENTS)]
        runs = {id(each): caller.run(experiment_id) for each in callers}

        def log(each: Caller, turn: int) -> int:
            steps = range(turn * self.size // 10, (turn + 1) * self.size // 10)
            metrics = [
                {"key": f"m{key}", "value": step / 7, "timestamp": T + step, "step": step}
                for step in steps
                for key in range(10)
            ]
            body = json.dumps({"run_id": runs[id(each)], "metrics": metrics})
            each.raw("POST", "/api/2.0/mlflow/runs/log-batch", body, JSON)
            return len(metrics)

        count, took = in_parallel(callers, log, self.seconds)
        assert 10 * sum(_points(caller, run_id, "m3") for run_id in runs.values()) == count
        return count / took


class LogSmallBatch(LogBatch):
    name, title, size = "W3", "`log-batch` of 100 metrics", 100


class SmallRuns(Workload):
    name, title, unit = "W4", "whole small runs (create, params, 10 metrics, tag, finish)", "runs/s"

    def measure(self, peer: Peer, caller: Caller) -> float:
        experiment_id = caller.experiment(self.name)

        def whole_run(each: Caller, turn: int) -> int:
            run_id = each.run(experiment_id)
            params = [{"key": f"p{n}", "value": str(n)} for n in range(5)]
            metrics = [{"key": f"m{n}", "value": n / 3, "timestamp": T, "step": 0} for n in range(10)]
            each.call("POST", "runs/log-batch", {"run_id": run_id, "params": params})
            each.call("POST", "runs/log-batch", {"run_id": run_id, "metrics": metrics})
            each.call("POST", "runs/set-tag", {"run_id": run_id, "key": "team", "value": "red"})
            each.call("POST", "runs/update", {"run_id": run_id, "status": "FINISHED", "end_time": T + 5})
            return 1

        count, took = in_parallel([caller.again() for _ in range(CLIENTS)], whole_run, self.seconds)
        body = {"experiment_ids": [experiment_id], "filter": "status = 'FINISHED' and params.p4 = '4'"}
        found = caller.call("POST", "runs/search", {**body, "max_results": 50_000})["runs"]
        assert len(found) == count
        assert all(len(run["data"]["metrics"]) == 10 for run in found)
        return count / took


class SearchRuns(Workload):
    name, title, unit, more_is_better = "R1", "search among 10,000 runs, 100 found", "ms (median)", False
    runs: ClassVar[int] = 10_000

    def measure(self, peer: Peer, caller: Caller) -> float:
        experiment_id = caller.experiment(self.name)
        peer.fill_runs(caller, experiment_id, self.runs)
        peer.settle()
        body = {
            "experiment_ids": [experiment_id],
            "filter": "metrics.acc > 0.5 AND params.kernel = 'linear'",
            "order_by": ["metrics.acc DESC"],
            "max_results": 100,
        }
        times = []
        for _ in range(max(10, int(self.seconds * 4))):
            began = time.perf_counter()
            found = caller.call("POST", "runs/search", body)["runs"]
            times.append(time.perf_counter() - began)
            best = [metric["value"] for metric in found[0]["data"]["metrics"] if metric["key"] == "acc"]
            assert len(found) == 100
            assert best[0] > 0.99
        return statistics.median(times) * 1000


class GetRun(Workload):
    name, title, unit = "R2", "`runs/get`", "calls/s"

    def measure(self, peer: Peer, caller: Caller) -> float:
        run_id = caller.run(caller.experiment(self.name))
        params = [{"key": f"p{n}", "value": str(n)} for n in range(10)]
        metrics = [{"key": f"m{n}", "value": n / 3, "timestamp": T, "step": 0} for n in range(10)]
        caller.call("POST", "runs/log-batch", {"run_id": run_id, "params": params, "metrics": metrics})

        def get(each: Caller, turn: int) -> int:
            data = each.raw("GET", f"/api/2.0/mlflow/runs/get?run_id={run_id}")
            assert data.count(b'"key"') >= 20
            return 1

        count, took = in_parallel([caller.again() for _ in range(CLIENTS)], get, self.seconds)
        return count / took


class History(Workload):
    name, title, unit, more_is_better = "R3", "a history of 100,000 points", "s (median)", False
    points: ClassVar[int] = 100_000

    def measure(self, peer: Peer, caller: Caller) -> float:
        run_id = caller.run(caller.experiment(self.name))
        for first in range(0, self.points, 1000):
            steps = range(first, first + 1000)
            metrics = [{"key": "loss", "value": step / 7, "timestamp": T + step, "step": step} for step in steps]
            caller.call("POST", "runs/log-batch", {"run_id": run_id, "metrics": metrics})
        times = []
        for _ in range(3):
            began = time.perf_counter()
            data = caller.raw("GET", f"/api/2.0/mlflow/metrics/get-history?run_id={run_id}&metric_key=loss")
            times.append(time.perf_counter() - began)
            assert len(json.loads(data)["metrics"]) == self.points
        return statistics.median(times)


class UpAndDown(Workload):
    name, title, unit = "A1", "200 MB up and down", "MB/s"
    megabytes: ClassVar[int] = 200

    def measure(self, peer: Peer, caller: Caller) -> float:
        experiment_id = caller.experiment(self.name)
        run_id = caller.run(experiment_id)
        data = os.urandom(self.megabytes * 1_000_000)
        path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment_id}/{run_id}/artifacts/big.bin"
        began = time.perf_counter()
        caller.raw("PUT", path, data, {"Content-Type": "application/octet-stream"})
        back = caller.raw("GET", path)
        took = time.perf_counter() - began
        assert back == data
        return 2 * self.megabytes / took


WORKLOADS: list[type[Workload]] = [
    LogMetric,
    LogBatch,
    LogSmallBatch,
    SmallRuns,
    SearchRuns,
    GetRun,
    History,
    UpAndDown,
    *REGISTRY_WORKLOADS,
]


def _points(caller: Caller, run_id: str, key: str) -> int:
    return len(caller.call("GET", f"metrics/get-history?run_id={run_id}&metric_key={key}").get("metrics", []))
