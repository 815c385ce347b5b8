"""What was acknowledged is there once, whatever is killed in between."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.servers import Server, postgres_database, postgres_is_there, slipway_server, wait_until_healthy

CLIENTS = 4
KILLS = int(os.environ.get("SLIPWAY_TEST_KILLS", "6"))
T = 1_700_000_000_000


class Client(threading.Thread):
    """Logs numbered metrics and params as the real client does: a call that isn't acknowledged is made again."""

    def __init__(self, server: Server, run_id: str) -> None:
        super().__init__(daemon=True)
        self.server, self.run_id = server, run_id
        self.acknowledged: list[int] = []
        self.stop = threading.Event()
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {server.token}"

    def run(self) -> None:
        step = 0
        while not self.stop.is_set():
            metrics = [{"key": "m", "value": step, "timestamp": T + step, "step": step}]
            params = [{"key": f"p{step}", "value": str(step)}]
            if self._call("runs/log-batch", {"run_id": self.run_id, "metrics": metrics, "params": params}):
                self.acknowledged.append(step)
                step += 1

    def _call(self, path: str, body: dict[str, Any]) -> bool:
        try:
            response = self.session.post(f"{self.server.url}/api/2.0/mlflow/{path}", json=body, timeout=10)
        except requests.RequestException:
            time.sleep(0.05)
            return False
        assert response.status_code in (200, 502, 503), response.text
        return response.status_code == 200


@pytest.mark.xdist_group("kill")
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_kill_9_of_web_loses_and_doubles_nothing(kind: str, tmp_path: Path) -> None:
    if kind == "sqlite":
        _kill_rounds(tmp_path, f"sqlite:///{tmp_path}/slipway.db")
    elif not postgres_is_there():
        pytest.skip("PostgreSQL does not answer at SLIPWAY_TEST_POSTGRES")
    else:
        with postgres_database() as database:
            _kill_rounds(tmp_path, database)


def _kill_rounds(home: Path, database: str) -> None:
    with slipway_server(home, database=database) as server:
        clients = [Client(server, _new_run(server, f"client {number}")) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        chance = random.Random(1)
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.2, 1.0))
            _kill_and_restart(server)
        time.sleep(0.5)
        for client in clients:
            client.stop.set()
        for client in clients:
            client.join(30)
            _check(server, client)


def _kill_and_restart(server: Server) -> None:
    os.killpg(server.process.pid, signal.SIGKILL)
    server.process.wait()
    command = server.process.args
    assert isinstance(command, list)
    server.process = subprocess.Popen(command, env=dict(server.env), start_new_session=True)
    wait_until_healthy(server)


def _new_run(server: Server, name: str) -> str:
    body = {"experiment_id": "0", "run_name": name, "start_time": T}
    headers = {"Authorization": f"Bearer {server.token}"}
    response = requests.post(f"{server.url}/api/2.0/mlflow/runs/create", json=body, headers=headers, timeout=10)
    run_id: str = response.json()["run"]["info"]["run_id"]
    return run_id


def _check(server: Server, client: Client) -> None:
    assert client.acknowledged, "nothing was logged at all"
    get = client.session.get
    base = f"{server.url}/api/2.0/mlflow"
    history = get(f"{base}/metrics/get-history", params={"run_id": client.run_id, "metric_key": "m"}, timeout=30)
    steps = Counter(point.get("step", 0) for point in history.json()["metrics"])
    run = get(f"{base}/runs/get", params={"run_id": client.run_id}, timeout=30).json()["run"]
    params = {param["key"]: param["value"] for param in run["data"]["params"]}
    assert set(steps.values()) == {1}
    assert set(client.acknowledged) <= set(steps)
    assert len(steps) <= len(client.acknowledged) + 1  # at most the call that nobody heard the answer of
    assert all(params[f"p{step}"] == str(step) for step in client.acknowledged)
