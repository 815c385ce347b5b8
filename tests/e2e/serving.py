"""`slipway models serve` as somebody types it, and small models to serve that are written by hand."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.servers import Server, free_port

SLIPWAY = Path(sys.executable).parent / "slipway"
# Long, since the machine may be busy: only a test that fails waits for so long.
PATIENCE = 240.0
_MLMODEL = """
flavors:
  python_function: {loader_module: doubling, code: code, data: data, env: {virtualenv: python_env.yaml}}
signature:
  inputs: '[{"type": "double", "name": "x", "required": true}]'
  outputs: '[{"type": "double", "required": true}]'
"""
_LOADER = """
import pathlib, time
class Doubling:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
    def predict(self, data, params=None):
        if float(data["x"].iloc[0]) == 9:
            (self.folder / "began").touch()
            time.sleep(1)
        return (data["x"] * 2).to_numpy()
def _load_pyfunc(path):
    return Doubling(path)
"""
DOUBLING = {
    "MLmodel": _MLMODEL,
    "code/doubling.py": _LOADER,
    "data/weights.txt": "2\n",
    "requirements.txt": "mlflow-skinny\npandas\nnumpy\n",
    "python_env.yaml": "dependencies:\n- -r requirements.txt\n",
}


@dataclass
class Serving:
    """A server that was ready. `said` is its one line; `log` all else."""

    url: str
    process: subprocess.Popen[bytes]
    said: str
    log: Path

    def post(self, body: Any, path: str = "invocations", **headers: str) -> requests.Response:
        """A call with a body of JSON."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.post(f"{self.url}/{path}", json=body, headers=sent, timeout=120)

    def get(self, path: str) -> requests.Response:
        """A call without a body."""
        return requests.get(f"{self.url}/{path}", timeout=120)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Its exit code after this signal."""
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def serving(env: Mapping[str, str], folder: Path, uri: str, *options: str, manager: str = "local") -> Iterator[Serving]:
    """Until it is ready, on a free port; ended with the block where the test didn't."""
    port = free_port()
    command = [str(SLIPWAY), "models", "serve", "-m", uri, "-p", str(port), "--env-manager", manager, *options]
    out, log = folder / f"{port}.out", folder / f"{port}.log"
    with out.open("wb") as said, log.open("wb") as told:
        process = subprocess.Popen(command, env=dict(env), cwd=folder, stdout=said, stderr=told)
    try:
        end = time.monotonic() + PATIENCE
        while b"Ready" not in out.read_bytes():
            assert process.poll() is None and time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        yield Serving(f"http://127.0.0.1:{port}", process, out.read_text(), log)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)


def refused(env: Mapping[str, str], folder: Path, uri: str, *options: str) -> str:
    """What is said where it can't begin: the last line, which is one clear sentence."""
    command = [str(SLIPWAY), "models", "serve", "-m", uri, "--env-manager", "local", *options]
    done = subprocess.run(
        command, env=dict(env), cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    assert done.stdout == ""
    return done.stderr.splitlines()[-1].removeprefix("slipway models serve: ")


def write_model(folder: Path, **files: str) -> Path:
    """A model that doubles `x`; where that is 9 it touches `data/began` and takes a second. Some files others."""
    for name, content in (DOUBLING | files).items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
    return folder


def register(server: Server, name: str, folder: Path, *, is_first: bool = True) -> str:
    """Log a folder into a new run and register it as the first version of a model, or as another; the run's id."""
    headers = {"Authorization": f"Bearer {server.token}"}

    def call(route: str, body: Any) -> Any:
        answer = requests.post(f"{server.url}/api/2.0/mlflow/{route}", json=body, headers=headers, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    info = call("runs/create", {"experiment_id": "0"})["run"]["info"]
    root = info["artifact_uri"].removeprefix("mlflow-artifacts:/")
    for file in (path for path in folder.rglob("*") if path.is_file()):
        url = f"{server.url}/api/2.0/mlflow-artifacts/artifacts/{root}/model/{file.relative_to(folder)}"
        assert requests.put(url, data=file.read_bytes(), headers=headers, timeout=60).status_code == 200
    if is_first:
        call("registered-models/create", {"name": name})
    source = {"name": name, "source": f"{info['artifact_uri']}/model", "run_id": info["run_id"]}
    call("model-versions/create", source)
    run_id: str = info["run_id"]
    return run_id


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def client_env(server: Server, home: Path) -> dict[str, str]:
    """What a person's shell has, with an own folder for environments."""
    path = os.pathsep.join((str(SLIPWAY.parent), os.environ.get("PATH", os.defpath)))
    return {**server.client_env(), "SLIPWAY_HOME": str(home), "PATH": path}
