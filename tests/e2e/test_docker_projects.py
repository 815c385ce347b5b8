"""Projects with `docker_env` on a real engine: run here, and queued. The container uses the real client."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.engine import IMAGE, client_of, docker_engine
from tests.servers import Server, slipway_up
from tests.waiting import until

pytestmark = [pytest.mark.client, pytest.mark.xdist_group("docker")]
SLIPWAY = Path(sys.executable).parent / "slipway"
# The image is bare: Python and the client come from this host, to be read.
_PREFIXES = {"/usr", "/lib", "/lib64", sys.prefix, sys.base_prefix}
VOLUMES = sorted(prefix for prefix in _PREFIXES if Path(prefix).exists())
STEP = """
import os, pathlib, mlflow
mlflow.log_metric("rows", len(pathlib.Path("rows.csv").read_text().splitlines()))
mlflow.log_param("level", os.environ["LEVEL"])
print("logged", flush=True)
"""


@pytest.fixture(scope="module")
def engine() -> Iterator[str]:
    with docker_engine() as address:
        yield address


@pytest.fixture(scope="module")
def up(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"SLIPWAY_DOCKER_NETWORKS": "host", "SLIPWAY_DOCKER_VOLUMES": ",".join(VOLUMES), "DOCKER_HOST": engine}
    with slipway_up(tmp_path_factory.mktemp("docker"), **settings) as server:
        yield server


def files() -> dict[str, str]:
    volumes = "".join(f'\n    - "{prefix}:{prefix}:ro"' for prefix in VOLUMES)
    return {
        "MLproject": f"""
name: contained
docker_env:
  image: {IMAGE}
  environment: [LEVEL]
  volumes:{volumes}
entry_points:
  main: {{command: "PYTHONDONTWRITEBYTECODE=1 {sys.executable} step.py"}}
  fails: {{command: "exit 7"}}
  sleeps: {{command: "echo on; sleep 300 & sleep 300"}}
""",
        "step.py": STEP,
        "rows.csv": "1\n2\n",
    }


def run_here(up: Server, engine: str, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    for name, text in files().items():
        (folder / name).write_text(text)
    env = {**up.client_env(), "DOCKER_HOST": engine, "LEVEL": "3", "SLIPWAY_HOME": str(folder / "home")}
    command = [str(SLIPWAY), "run", str(folder), "-A", "network=host", *arguments]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def run_of(text: str) -> str:
    return text.partition("Run ")[2].split()[0]


def tracked(up: Server, run_id: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {up.token}"}
    answer = requests.get(f"{up.url}/api/2.0/mlflow/runs/get", params={"run_id": run_id}, headers=headers, timeout=30)
    run: dict[str, Any] = answer.json()["run"]
    run["tags"] = {tag["key"]: tag["value"] for tag in run["data"]["tags"]}
    return run


def check_logged(up: Server, run_id: str, engine: str) -> None:
    run = tracked(up, run_id)
    assert run["info"]["status"] == "FINISHED"
    assert [(each["key"], each["value"]) for each in run["data"]["metrics"]] == [("rows", 2.0)]
    assert {"key": "level", "value": "3"} in run["data"]["params"]
    assert (run["tags"]["mlflow.project.env"], run["tags"]["mlflow.docker.image.uri"]) == ("docker", IMAGE)
    assert run["tags"]["mlflow.docker.image.id"] == client_of(engine).images.get(IMAGE).id


def containers(engine: str) -> int:
    return len(client_of(engine).containers.list(all=True))


def test_slipway_run_runs_it_in_the_callers_engine(up: Server, engine: str, tmp_path: Path) -> None:
    with run_here(up, engine, tmp_path) as process:
        text = process.communicate(timeout=120)[0]
    assert process.returncode == 0, text
    assert "logged\n" in text
    check_logged(up, run_of(text), engine)
    assert containers(engine) == 0


def test_slipway_run_leaves_with_the_containers_code(up: Server, engine: str, tmp_path: Path) -> None:
    with run_here(up, engine, tmp_path, "-e", "fails") as process:
        text = process.communicate(timeout=60)[0]
    assert process.returncode == 7
    assert tracked(up, run_of(text))["info"]["status"] == "FAILED"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_slipway_run_takes_its_container_along(number: int, up: Server, engine: str, tmp_path: Path) -> None:
    with run_here(up, engine, tmp_path, "-e", "sleeps") as process:
        assert process.stdout is not None
        text = ""
        while "on\n" not in text:
            text += process.stdout.readline()
        process.send_signal(number)
        process.wait(30)
    assert process.returncode == 130
    assert tracked(up, run_of(text))["info"]["status"] == "KILLED"
    assert containers(engine) == 0


class Queue:
    """Runs that the server's worker does."""

    def __init__(self, up: Server) -> None:
        self._url, self._headers = f"{up.url}/api/v1", {"Authorization": f"Bearer {up.token}"}
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for name, text in files().items():
                archive.writestr(name, text)
        headers = self._headers | {"Content-Type": "application/zip"}
        url = f"{self._url}/project-archives/"
        self._archive = requests.post(url, data=content.getvalue(), headers=headers, timeout=30).json()["id"]

    def start(self, **asked: Any) -> str:
        body = {"archive": int(self._archive), "env_vars": {"LEVEL": "3"}, **asked}
        answer = requests.post(f"{self._url}/project-runs/", json=body, headers=self._headers, timeout=30)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def row(self, run: str) -> dict[str, Any]:
        row: dict[str, Any] = requests.get(f"{self._url}/project-runs/{run}/", headers=self._headers, timeout=30).json()
        return row

    def ended(self, run: str) -> dict[str, Any]:
        until(lambda: self.row(run)["state"] not in ("queued", "preparing", "running"), 120)
        return self.row(run)

    def log(self, run: str) -> str:
        return requests.get(f"{self._url}/project-runs/{run}/log/", headers=self._headers, timeout=30).text

    def cancel(self, run: str) -> None:
        url = f"{self._url}/project-runs/{run}/cancel/"
        assert requests.post(url, json={"reason": "enough"}, headers=self._headers, timeout=30).ok


def test_a_worker_runs_it(up: Server, engine: str) -> None:
    queue = Queue(up)
    run = queue.start(limits={"memory_mb": 2000, "processes": 200})
    row = queue.ended(run)
    assert row["state"] == "finished", (row["message"], queue.log(run))
    assert row["isolation"] == "docker"
    assert " logged\n" in queue.log(run)
    check_logged(up, row["run_id"], engine)
    assert containers(engine) == 0


def test_a_worker_says_what_it_may_not_have(up: Server) -> None:
    queue = Queue(up)
    row = queue.ended(queue.start(docker_args={"privileged": ""}))
    assert row["state"] == "failed"
    assert "'privileged' for Docker is not taken" in row["message"]


def test_cancel_ends_the_container(up: Server, engine: str) -> None:
    queue = Queue(up)
    run = queue.start(entry_point="sleeps")
    until(lambda: " on\n" in queue.log(run))
    queue.cancel(run)
    row = queue.ended(run)
    assert row["state"] == "cancelled"
    assert (row["ended_ms"] - row["cancel_ms"]) / 1000 < 10
    assert tracked(up, row["run_id"])["info"]["status"] == "KILLED"
    until(lambda: containers(engine) == 0)


def test_no_container_survives_its_worker(up: Server, engine: str) -> None:
    queue = Queue(up)
    run = queue.start(entry_point="sleeps")
    until(lambda: " on\n" in queue.log(run))
    os.killpg(_worker_of(up.process.pid), signal.SIGKILL)
    row = queue.ended(run)
    assert row["state"] == "lost"
    until(lambda: containers(engine) == 0)


def _worker_of(parent: int) -> int:
    pids = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    (found,) = [pid for pid in pids if "worker" in Path(f"/proc/{pid}/cmdline").read_text().split("\0")]
    return int(found)
