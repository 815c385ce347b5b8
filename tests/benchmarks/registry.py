"""What is measured of the registry."""

from __future__ import annotations

import json
import statistics
import time
from typing import ClassVar

from tests.benchmarks.http import JSON, Caller, in_parallel
from tests.benchmarks.peers import Peer
from tests.benchmarks.workload import CLIENTS, Workload


class _LookUp(Workload):
    """One call that a script makes before it loads a model; the model has 20 versions with tags."""

    unit = "calls/s"
    path: ClassVar[str]
    expected: ClassVar[bytes]

    def measure(self, peer: Peer, caller: Caller) -> float:
        name = f"bench-{self.name}"
        run_id = caller.run(caller.experiment(self.name))
        caller.call("POST", "registered-models/create", {"name": name})
        for number in range(20):
            _register(caller, name, run_id, number)
        caller.call("POST", "registered-models/alias", {"name": name, "alias": "champion", "version": "7"})
        path = f"/api/2.0/mlflow/{self.path.format(name=name)}"

        def get(each: Caller, turn: int) -> int:
            assert self.expected in each.raw("GET", path)
            return 1

        count, took = in_parallel([caller.again() for _ in range(CLIENTS)], get, self.seconds)
        return count / took


class GetByAlias(_LookUp):
    name, title = "G1", "a version by its alias"
    path, expected = "registered-models/alias?name={name}&alias=champion", b"tag-2"


class GetDownloadUri(_LookUp):
    name, title = "G1u", "`get-download-uri`"
    path, expected = "model-versions/get-download-uri?name={name}&version=7", b"/model-6"


class SearchVersions(Workload):
    name, title, unit, more_is_better = "G2", "search among 10,000 versions, 100 found", "ms (median)", False
    models: ClassVar[int] = 500
    each: ClassVar[int] = 20

    def measure(self, peer: Peer, caller: Caller) -> float:
        caller.experiment(self.name)
        peer.fill_versions(self.models, self.each)
        peer.settle()
        path = (
            "/api/2.0/mlflow/model-versions/search?filter=name+LIKE+%27filled-%25%27+AND+tags.kind+%3D+%27odd%27"
            "&order_by=last_updated_timestamp+DESC&max_results=100"
        )
        times = []
        for _ in range(max(10, int(self.seconds * 4))):
            began = time.perf_counter()
            found = json.loads(caller.raw("GET", path))["model_versions"]
            times.append(time.perf_counter() - began)
            assert len(found) == 100
            assert all({"key": "kind", "value": "odd"} in version["tags"] for version in found)
        return statistics.median(times) * 1000


class CreateVersion(Workload):
    name, title, unit = "G3", "one `model-versions/create` a call", "calls/s"

    def measure(self, peer: Peer, caller: Caller) -> float:
        run_id = caller.run(caller.experiment(self.name))
        callers = [caller.again() for _ in range(CLIENTS)]
        models = {id(each): f"bench-{self.name}-{number}" for number, each in enumerate(callers)}
        for name in models.values():
            caller.call("POST", "registered-models/create", {"name": name})

        def create(each: Caller, turn: int) -> int:
            _register(each, models[id(each)], run_id, turn)
            return 1

        count, took = in_parallel(callers, create, self.seconds)
        shown = [caller.call("GET", f"registered-models/get?name={name}") for name in models.values()]
        assert sum(int(each["registered_model"]["latest_versions"][0]["version"]) for each in shown) == count
        return count / took


REGISTRY_WORKLOADS: list[type[Workload]] = [GetByAlias, GetDownloadUri, SearchVersions, CreateVersion]


def _register(caller: Caller, name: str, run_id: str, number: int) -> None:
    tags = [{"key": f"tag-{place}", "value": str(number)} for place in range(3)]
    body = {"name": name, "source": f"runs:/{run_id}/model-{number}", "run_id": run_id, "tags": tags}
    caller.raw("POST", "/api/2.0/mlflow/model-versions/create", json.dumps(body), JSON)
