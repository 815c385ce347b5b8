"""A client as thin as the standard library has one, so that the server is what is measured."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

JSON = {"Content-Type": "application/json"}


class Caller:
    """One kept connection. Not to be shared between threads."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        self.url, self.token = url, token
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def again(self) -> Caller:
        """Another connection to the same server."""
        return Caller(self.url, self.token)

    def raw(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> bytes:
        """The body of the answer. Anything but 2xx is an error: what is counted has to have worked."""
        self._connection.request(method, path, body, {**self._headers, **(headers or {})})
        response = self._connection.getresponse()
        data = response.read()
        if response.status // 100 != 2:
            raise RuntimeError(f"{method} {path}: {response.status} {data[:500]!r}")
        return data

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """A protocol call below `/api/2.0/mlflow/`."""
        data = None if body is None else json.dumps(body)
        return json.loads(self.raw(method, f"/api/2.0/mlflow/{path}", data, JSON if data else None))

    def experiment(self, name: str) -> str:
        """The id of a new experiment."""
        experiment_id: str = self.call("POST", "experiments/create", {"name": name})["experiment_id"]
        return experiment_id

    def run(self, experiment_id: str) -> str:
        """The id of a new run."""
        body = {"experiment_id": experiment_id, "start_time": 1_700_000_000_000, "run_name": "bench"}
        run_id: str = self.call("POST", "runs/create", body)["run"]["info"]["run_id"]
        return run_id


def in_parallel(callers: list[Caller], work: Callable[[Caller, int], int], seconds: float) -> tuple[int, float]:
    """Call `work(caller, turn)` in a thread for each caller until the time is up: (sum of its results, seconds)."""
    done: list[int] = []
    failed: list[BaseException] = []
    end = time.perf_counter() + seconds

    def loop(caller: Caller) -> None:
        count = turn = 0
        try:
            while time.perf_counter() < end:
                count += work(caller, turn)
                turn += 1
        except Exception as error:  # noqa: BLE001  (re-raised in the main thread)
            failed.append(error)
        done.append(count)

    threads = [threading.Thread(target=loop, args=(caller,)) for caller in callers]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return sum(done), time.perf_counter() - began
