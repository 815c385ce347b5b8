"""Runs on a worker that start others as their children, here and queued, and that take files of other runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.clients import run_script
from tests.servers import Server, slipway_up

PYTHON = Path(sys.executable)
HOUSE = Path(__file__).parents[2]
pytestmark = [pytest.mark.client, pytest.mark.xdist_group("pipelines")]

# What `step` is given says which of them it was.
MLPROJECT = f"""
name: pipeline
entry_points:
  main: {{command: "{PYTHON} main.py"}}
  shell: {{command: "bash start.sh"}}
  step:
    parameters: {{c: float}}
    command: "{PYTHON} step.py {{c}}"
  reads:
    parameters: {{rows: path, one: path, v1: path, latest: path, staging: path, champion: path, itself: path,
                  found: path}}
    command: "cat {{rows}}; ls {{one}} {{v1}} {{latest}} {{staging}} {{champion}} {{itself}} {{found}} | grep MLmodel"
  read: {{parameters: {{rows: path}}, command: "cat {{rows}}"}}
"""
SHELL = f"""
{PYTHON.parent}/slipway run . -e step -P c=1 --env-manager local
{PYTHON.parent}/slipway run . -e step -P c=2 --backend slipway
"""
MAIN = """
import mlflow
with mlflow.start_run():
    for c, how in ((1, {"backend": "local", "env_manager": "local"}), (2, {"backend": "slipway"})):
        done = mlflow.projects.run(".", entry_point="step", parameters={"c": c}, **how)
        print("child", done.get_status(), done.wait())
"""
STEP = "import sys, mlflow\nmlflow.log_metric('c', float(sys.argv[1]))\n"
MAKE = """
import mlflow, numpy as np
from sklearn.linear_model import LinearRegression
mlflow.set_experiment("pipelines")
with mlflow.start_run() as run:
    mlflow.log_text("rows of a run\\n", "data/rows.txt")
    fitted = LinearRegression().fit(np.array([[0.0], [1.0]]), [0.0, 1.0])
    made = mlflow.sklearn.log_model(fitted, name="model", registered_model_name="read-by-runs")
client = mlflow.MlflowClient()
client.set_registered_model_alias("read-by-runs", "champion", "1")
client.transition_model_version_stage("read-by-runs", "1", "Staging")
print(run.info.run_id, made.model_uri)
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose runs see this Python and what is installed for it, so that nothing has to be built."""
    seen = ":".join(str(place) for place in (sys.prefix, sys.base_prefix, HOUSE))
    with slipway_up(tmp_path_factory.mktemp("pipelines"), SLIPWAY_SANDBOX_READABLE=seen) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "pipeline"
    folder.mkdir()
    for name, text in {"MLproject": MLPROJECT, "main.py": MAIN, "start.sh": SHELL, "step.py": STEP}.items():
        (folder / name).write_text(text)
    return folder


def start(server: Server, project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        str(PYTHON.parent / "slipway"),
        "run",
        ".",
        "-b",
        "slipway",
        "--experiment-name",
        "pipelines",
        *arguments,
    ]
    return subprocess.run(
        command, cwd=project, env=server.client_env(), capture_output=True, text=True, timeout=300, check=False
    )


def asked(server: Server, method: str, path: str, **body: Any) -> Any:
    headers = {"Authorization": f"Bearer {server.token}"}
    answer = requests.request(method, f"{server.url}/api/{path}", json=body or None, headers=headers, timeout=30)
    answer.raise_for_status()
    return answer.json()


@pytest.mark.parametrize("entry_point", ["main", "shell"])
def test_a_run_starts_children_here_and_queued(entry_point: str, house: Server, project: Path) -> None:
    done = start(house, project, "-e", entry_point)
    assert done.returncode == 0, done.stdout + done.stderr
    key = done.stderr.split("Run ", 1)[1].split(" ", 1)[0]
    parent = asked(house, "GET", f"v1/project-runs/{key}/")
    search = {
        "experiment_ids": [parent["experiment_id"]],
        "filter": f"tags.mlflow.parentRunId = '{parent['run_id']}'",
        "order_by": ["metrics.c ASC"],
    }
    found = asked(house, "POST", "2.0/mlflow/runs/search", **search)["runs"]
    tags = [{tag["key"]: tag["value"] for tag in each["data"]["tags"]} for each in found]
    assert [each["mlflow.project.backend"] for each in tags] == ["local", "slipway"]
    assert [each["mlflow.project.entryPoint"] for each in tags] == ["step", "step"]
    assert [(each["info"]["status"], each["data"]["metrics"][0]["value"]) for each in found] == [
        ("FINISHED", 1),
        ("FINISHED", 2),
    ]
    runs = asked(house, "GET", "v1/project-runs/")["results"]
    queued = next(each for each in runs if each["run_id"] == found[1]["info"]["run_id"])
    assert asked(house, "GET", f"v1/project-runs/{queued['id']}/")["parent_id"] == key


def test_a_run_takes_files_of_runs_and_models(house: Server, project: Path, tmp_path: Path) -> None:
    (tmp_path / "make.py").write_text(MAKE)
    run, model = run_script(PYTHON, tmp_path / "make.py", house.client_env(), tmp_path).split()[-2:]
    ends = {"one": "/1", "v1": "/v1", "latest": "/latest", "staging": "/Staging", "champion": "@champion"}
    named = {name: f"models:/read-by-runs{end}" for name, end in ends.items()}
    named |= {"rows": f"runs:/{run}/data/rows.txt", "itself": model, "found": f"runs:/{run}/model"}
    given = [part for name, uri in named.items() for part in ("-P", f"{name}={uri}")]
    done = start(house, project, "-e", "reads", *given)
    assert done.returncode == 0, done.stdout
    last = [line for line in done.stdout.splitlines() if not line.startswith("[slipway]")]
    assert last == ["rows of a run", *7 * ["MLmodel"]]


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("models:/nothing", "names no version"),
        ("runs:/0123456789abcdef0123456789abcdef/x", "not found"),
    ],
)
def test_what_is_not_there_is_said(uri: str, words: str, house: Server, project: Path) -> None:
    done = start(house, project, "-e", "read", "-P", f"rows={uri}")
    assert done.returncode == 1
    assert words in next(line for line in done.stdout.splitlines() if "can't be downloaded" in line)
