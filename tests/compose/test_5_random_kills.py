"""Containers are killed at random while scripts log: what was acknowledged is there in the end.

A minute by default; `SLIPWAY_TEST_KILL_MINUTES=10 uv run pytest -m compose -n 0` for ten.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

import requests

from tests.compose.asking import all_healthy, called, wait_for
from tests.compose.engine import Engine
from tests.compose.stack import URL, Stack
from tests.servers import Server

MINUTES = float(os.environ.get("SLIPWAY_TEST_KILL_MINUTES", "1"))
_VICTIMS = ("proxy-1", "web-1", "web-2", "worker-1", "serving-1", "scheduler-1", "valkey-1", "s3-1", "postgres-1")
_POINTS = 50


@dataclass
class Script(threading.Thread):
    """Logs one run after another. What it knows to be stored: steps of runs, and their files."""

    server: Server
    number: int
    experiment: str
    ended: threading.Event
    steps: dict[str, int] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    refused: int = 0

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {self.server.token}"

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        """Until it is told to end. What fails is left as it is: nobody was told that it is stored."""
        while not self.ended.is_set():
            try:
                self._log()
            except requests.RequestException:
                self.refused += 1
                time.sleep(0.3)

    def _log(self) -> None:
        made = self._call("POST", "2.0/mlflow/runs/create", json={"experiment_id": self.experiment, "start_time": 1})
        run_id = made.json()["run"]["info"]["run_id"]
        self.steps[run_id] = 0
        for batch in range(4):
            metrics = [
                {"key": "loss", "value": step, "timestamp": step, "step": step}
                for step in range(batch * _POINTS, (batch + 1) * _POINTS)
            ]
            self._call("POST", "2.0/mlflow/runs/log-batch", json={"run_id": run_id, "metrics": metrics})
            self.steps[run_id] += _POINTS
        content = random.Random(run_id).randbytes(200_000)
        place = made.json()["run"]["info"]["artifact_uri"].removeprefix("mlflow-artifacts:/")
        self._call("PUT", f"2.0/mlflow-artifacts/artifacts/{place}/weights.bin", data=content)
        self.files[run_id] = content

    def _call(self, method: str, path: str, **sent: object) -> requests.Response:
        said = self._session.request(method, f"{URL}/api/{path}", timeout=30, **sent)  # type: ignore[arg-type]
        said.raise_for_status()
        return said


def test_what_was_acknowledged_is_there(up: Stack, server: Server, docker: Engine) -> None:
    experiment = called(server, "POST", "2.0/mlflow/experiments/create", {"name": f"killed {time.time_ns()}"})
    ended, chance = threading.Event(), random.Random(6)
    scripts = [Script(server, number, experiment["experiment_id"], ended) for number in range(3)]
    for script in scripts:
        script.start()
    killed = _kill_for(docker, MINUTES * 60, chance)
    ended.set()
    for script in scripts:
        script.join(120)
        assert not script.is_alive()
    wait_for(lambda: all_healthy(up), 300)
    wait_for(lambda: requests.get(f"{URL}/health", timeout=30).status_code == 200)
    steps = {run_id: count for script in scripts for run_id, count in script.steps.items()}
    files = {run_id: content for script in scripts for run_id, content in script.files.items()}
    refused = sum(script.refused for script in scripts)
    print(f"\n{killed} kills; {len(steps)} runs, {len(files)} files acknowledged, {refused} calls failed")  # noqa: T201
    assert len(files) > 3
    lost = [run_id for run_id, count in steps.items() if len(_history(server, run_id)) < count]
    lost += [run_id for run_id, content in files.items() if _file(server, run_id) != content]
    assert lost == []
    assert "as recorded" in up.slipway("audit", "verify")


def _kill_for(docker: Engine, seconds: float, chance: random.Random) -> int:
    """Kill one after the other, some before the one before it is back; how many."""
    killed, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        pid = docker.docker("inspect", "--format", "{{.State.Pid}}", f"slipway-{chance.choice(_VICTIMS)}")
        if pid != "0":
            # It may have ended by itself meanwhile, as who waits for the database does.
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
                killed += 1
        time.sleep(chance.uniform(1, 9))
    return killed


def _history(server: Server, run_id: str) -> set[int]:
    asked = {"run_id": run_id, "metric_key": "loss", "max_results": 1000}
    found = called(server, "GET", "2.0/mlflow/metrics/get-history", asked).get("metrics", [])
    return {int(each.get("step", 0)) for each in found}


def _file(server: Server, run_id: str) -> bytes:
    headers = {"Authorization": f"Bearer {server.token}"}
    asked = {"run_id": run_id, "path": "weights.bin"}
    return requests.get(f"{URL}/get-artifact", params=asked, headers=headers, timeout=60).content
