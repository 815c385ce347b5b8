"""`slipway run` as somebody types it, beside `mlflow run` on the same project."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.clients import IRIS
from tests.servers import Server

pytestmark = pytest.mark.client
SLIPWAY = Path(sys.executable).parent / "slipway"
MLFLOW = Path(sys.executable).parent / "mlflow"

PROJECT = """
name: steps
entry_points:
  main:
    parameters: {c: {type: float, default: 1.5}, data: path}
    command: "python step.py {c} {data}"
  fails: {command: "exit 7"}
  sleeps: {command: "bash -c 'sleep 300 & sleep 300'"}
"""
STEP = """
import sys, mlflow
mlflow.log_metric("c", float(sys.argv[1]))
mlflow.log_param("rows", len(open(sys.argv[2]).readlines()))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "MLproject").write_text(PROJECT)
    (folder / "step.py").write_text(STEP)
    (folder / "rows.csv").write_text("1\n2\n")
    return folder


def run(
    up: Server, folder: Path, *arguments: str, program: Path = SLIPWAY, at: Path | None = None
) -> subprocess.CompletedProcess[str]:
    env = {**up.client_env(), "SLIPWAY_HOME": str(folder.parent / "home")}
    return subprocess.run(
        [program, "run", *arguments],
        cwd=at or folder.parent,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def newest(up: Server, experiment: str) -> Any:
    """The newest run of an experiment: status, params, tags and metrics."""
    api, headers = f"{up.url}/api/2.0/mlflow", {"Authorization": f"Bearer {up.token}"}
    named = requests.get(f"{api}/experiments/get-by-name", {"experiment_name": experiment}, headers=headers, timeout=30)
    body = {"experiment_ids": [named.json()["experiment"]["experiment_id"]], "max_results": 1}
    found = requests.post(f"{api}/runs/search", json=body, headers=headers, timeout=30).json()["runs"][0]
    pairs = {
        kind: {pair["key"]: pair["value"] for pair in found["data"].get(kind, [])}
        for kind in ("params", "tags", "metrics")
    }
    return {"status": found["info"]["status"], "name": found["info"]["run_name"], **pairs}


def test_the_orders_project_runs_by_its_only_entry_point(up: Server, tmp_path: Path) -> None:
    shutil.copytree(IRIS, tmp_path / "iris-classification")
    done = run(
        up,
        tmp_path / "iris-classification",
        "iris-classification",
        "-P",
        "dataset=iris.csv",
        "--env-manager",
        "local",
        "--experiment-name",
        "the order",
    )
    assert done.returncode == 0, done.stderr
    assert "accuracy 1.000" in done.stdout
    found = newest(up, "the order")
    assert (found["status"], found["params"]["algorithm"], found["params"]["dataset"]) == (
        "FINISHED",
        "SVM",
        "iris.csv",
    )
    assert found["tags"]["mlflow.project.entryPoint"] == "train"


def commit(folder: Path) -> None:
    """Make it a work tree with an origin, in which nothing is changed."""
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    for words in ("init -q", "remote add origin https://git.example/steps.git", "add .", "commit -qm first"):
        subprocess.run(["git", *identity, *words.split()], cwd=folder, check=True)


@pytest.mark.parametrize("where", ["a folder", "a work tree", "a folder of a work tree"])
def test_it_logs_what_the_protocols_own_tool_logs(where: str, up: Server, project: Path) -> None:
    if where != "a folder":
        commit(project if where == "a work tree" else project.parent)
    arguments = (str(project), "-P", f"data={project}/rows.csv", "-P", "extra=x", "--env-manager", "local")
    met = []
    for program, experiment in ((SLIPWAY, f"ours: {where}"), (MLFLOW, f"theirs: {where}")):
        done = run(up, project, *arguments, "--experiment-name", experiment, "--run-name", "n", program=program)
        assert done.returncode == 0, done.stderr
        met.append(newest(up, experiment))
    ours, theirs = met
    assert ours == theirs


def test_the_exit_code_is_the_runs(up: Server, project: Path) -> None:
    done = run(up, project, str(project), "-e", "fails", "--env-manager", "local", "--experiment-name", "fails")
    assert done.returncode == 7
    assert newest(up, "fails")["status"] == "FAILED"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((".", "-P", "data=missing"), "names no file"),
        ((".", "-e", "nothing"), "main, fails, sleeps"),
        (("elsewhere",), "neither a folder"),
        ((".", "-P", "nothing"), "not NAME=VALUE"),
        (("ext::sh -c id",), "neither a folder"),
    ],
)
def test_what_can_not_begin_makes_no_run(up: Server, project: Path, arguments: tuple[str, ...], words: str) -> None:
    done = run(up, project, *arguments, "--env-manager", "local", "--experiment-name", "never made", at=project)
    assert (done.returncode, words in done.stderr) == (2, True), done.stderr
    named = requests.get(
        f"{up.url}/api/2.0/mlflow/experiments/get-by-name",
        {"experiment_name": "never made"},
        headers={"Authorization": f"Bearer {up.token}"},
        timeout=30,
    )
    assert named.status_code == 404


def test_ctrl_c_ends_all_that_was_started(up: Server, project: Path) -> None:
    env = {**up.client_env(), "SLIPWAY_HOME": str(project.parent / "home")}
    command = [
        str(SLIPWAY),
        "run",
        str(project),
        "-e",
        "sleeps",
        "--env-manager",
        "local",
        "--experiment-name",
        "stopped",
    ]
    process = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert "Run " in process.stderr.readline()
    child = eventually_child(process.pid)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    assert alive_in_group(child) == []
    assert newest(up, "stopped")["status"] == "KILLED"


def eventually_child(parent: int) -> int:
    """The process that a run was started as; it leads a group of its own."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        if found and os.getpgid(int(found[0])) == int(found[0]):
            return int(found[0])
        time.sleep(0.05)
    raise AssertionError("nothing was started")


def alive_in_group(group: int) -> list[str]:
    """Names of its processes; those that ended and wait for their parent don't count."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().rpartition(")")
        except OSError:
            continue
        state, _, pgrp = rest.split()[:3]
        if int(pgrp) == group and state != "Z":
            found.append(name)
    return found


def test_an_environment_is_built_once(up: Server, project: Path) -> None:
    (project / "python_env.yaml").write_text(f'python: "{sys.version_info.major}.{sys.version_info.minor}"\n')
    (project / "MLproject").write_text(
        "name: bare\nentry_points: {main: {command: \"python -c 'import sys; print(sys.prefix)'\"}}\n"
    )
    home = project.parent / "home"
    first, second = (run(up, project, str(project), "--experiment-name", "environments") for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert first.stdout == second.stdout
    assert first.stdout.startswith(f"{home}/environments/")
    assert newest(up, "environments")["tags"]["mlflow.project.env"] == "uv"


def test_a_repository_with_a_branch_and_a_folder(up: Server, project: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    (work / "sub").mkdir(parents=True)
    for file in project.iterdir():
        shutil.copy(file, work / "sub")

    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=trunk")
        return subprocess.run(
            ["git", *identity, *arguments], cwd=work, capture_output=True, text=True, check=True
        ).stdout

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "first")
    first = git("rev-parse", "HEAD").strip()
    git("branch", "old")
    (work / "sub" / "rows.csv").write_text("1\n2\n3\n")
    git("commit", "-qam", "second")
    uri = f"file://{work}#sub"
    done = run(
        up,
        project,
        uri,
        "-v",
        "old",
        "-P",
        "data=rows.csv",
        "--env-manager",
        "local",
        "--experiment-name",
        "git",
        at=Path("/"),
    )
    assert done.returncode == 0, done.stderr
    found = newest(up, "git")
    assert found["params"]["rows"] == "2"
    assert found["tags"]["mlflow.source.git.commit"] == first
    assert found["tags"]["mlflow.source.git.branch"] == "old"
    assert found["tags"]["mlflow.source.name"] == uri


def test_a_zip_file(up: Server, project: Path, tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "zipped"), "zip", project)
    done = run(
        up, project, archive, "-P", "data=rows.csv", "--env-manager", "local", "--experiment-name", "zips", at=Path("/")
    )
    assert done.returncode == 0, done.stderr
    assert newest(up, "zips")["metrics"] == {"c": 1.5}
