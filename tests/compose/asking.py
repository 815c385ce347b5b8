"""How the tests of an installation speak to it: by its API, by the real client, and by what a script prints."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from tests.compose.stack import URL, Stack
from tests.servers import Server

BIN = Path(sys.executable).parent
SCRIPT = """
import sys, mlflow
mlflow.set_experiment("compose")
with mlflow.start_run(run_name=sys.argv[1]) as run:
    mlflow.log_param("kernel", "rbf")
    for step in range(20):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    for file in sys.argv[2:]:
        mlflow.log_artifact(file)
print(run.info.run_id)
"""
ASKED = {"dataframe_split": {"columns": ["x"], "data": [[21.0]]}}


def logged(server: Server, folder: Path, name: str, *files: Path) -> str:
    """The number of a run that the real client logged."""
    script = folder / "train.py"
    script.write_text(SCRIPT)
    return ran([BIN / "python", script, name, *files], server.client_env(), folder)


def fetch(server: Server, run_id: str, path: str, to: Path) -> Path:
    """A file of a run, by the real client."""
    asked = ("artifacts", "download", "--run-id", run_id, "--artifact-path", path, "--dst-path", str(to))
    ran([BIN / "mlflow", *asked], server.client_env(), to.parent)
    return to / path


def ran(command: list[Any], env: dict[str, str], cwd: Path) -> str:
    """What a program prints."""
    done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"[-6000:]
    return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""


def digest(file: Path) -> str:
    """Of its content."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def csrf(page: str) -> str:
    """The token of a page's form."""
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found
    return found[1]


def runs(server: Server) -> dict[str, str]:
    """Names of runs by their numbers, in all experiments."""
    experiments = called(server, "POST", "2.0/mlflow/experiments/search", {"max_results": 100})["experiments"]
    body = {"experiment_ids": [each["experiment_id"] for each in experiments], "max_results": 1000}
    found = called(server, "POST", "2.0/mlflow/runs/search", body)["runs"]
    return {each["info"]["run_id"]: each["info"].get("run_name", "") for each in found}


def answer(server: Server) -> Any:
    """What the deployment says; None where it does not."""
    headers = {"Authorization": f"Bearer {server.token}"}
    said = requests.post(f"{URL}/serve/doubling/invocations", json=ASKED, headers=headers, timeout=60)
    return said.json()["predictions"] if said.status_code == 200 else None


def called(server: Server, method: str, path: str, body: Any = None) -> Any:
    """The JSON that a call below `/api/` is answered."""
    headers = {"Authorization": f"Bearer {server.token}"}
    sent = {"params": body} if method == "GET" else {"json": body}
    said = requests.request(method, f"{URL}/api/{path}", headers=headers, timeout=60, **sent)
    assert said.status_code in (200, 201), said.text
    return said.json()


def all_healthy(up: Stack) -> bool:
    """Whether all that should run does."""
    running = [each for each in up.containers() if each["Service"] not in ("prepare", "migrate", "bucket")]
    return len(running) == 9 and all(each["Health"] == "healthy" for each in running)


def wait_for(is_so: Callable[[], bool], seconds: float = 180) -> None:
    """Until it is so. What can't be asked yet is not so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if is_so():
                return
        except requests.RequestException:
            pass
        time.sleep(0.5)
    raise AssertionError("it did not come to be so")
