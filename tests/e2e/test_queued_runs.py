"""Runs on the server's workers, as somebody starts and follows them from a terminal and by the mlflow client."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.servers import Server

BIN = Path(sys.executable).parent
LINES = 40
PROJECT = f"""
name: queued steps
entry_points:
  main:
    parameters: {{c: {{type: float, default: 1.5}}, data: {{type: path, default: rows.csv}}}}
    command: "python step.py {{c}} {{data}}"
  fails: {{command: "echo about to fail; exit 7"}}
  counts: {{command: "for i in $(seq {LINES}); do echo line $i; sleep 0.1; done"}}
  sleeps: {{command: "echo asleep; sleep 300 & sleep 300"}}
"""
STEP = "import sys; print('c is', sys.argv[1], 'and rows are', len(open(sys.argv[2]).readlines()))"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "MLproject").write_text(PROJECT)
    (folder / "step.py").write_text(STEP)
    (folder / "rows.csv").write_text("1\n2\n")
    return folder


def run(up: Server, at: Path, *arguments: str, program: str = "slipway") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / program, *arguments],
        cwd=at,
        env=up.client_env(),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def shown(up: Server, run_id: str) -> Any:
    """The run as the API has it."""
    headers = {"Authorization": f"Bearer {up.token}"}
    return requests.get(f"{up.url}/api/v1/project-runs/{run_id}/", headers=headers, timeout=30).json()


def number_in(said: str) -> str:
    """The number of the run that was queued."""
    return said.split("Run ", 1)[1].split(" ", 1)[0]


def test_the_log_comes_here_and_the_exit_code_too(up: Server, project: Path) -> None:
    done = run(up, project.parent, "run", "project", "--backend", "slipway", "-P", "c=2", "-P", "data=rows.csv")
    assert (done.returncode, done.stdout) == (0, "c is 2 and rows are 2\n"), done.stderr
    found = shown(up, number_in(done.stderr))
    assert (found["state"], found["project_name"], found["params"]["c"]) == ("finished", "queued steps", "2")
    failed = run(up, project.parent, "run", "project", "-b", "slipway", "-e", "fails")
    assert (failed.returncode, failed.stdout.splitlines()[0]) == (7, "about to fail")
    assert "failed: " in failed.stderr


def test_every_line_comes_once(up: Server, project: Path) -> None:
    done = run(up, project, "run", ".", "-b", "slipway", "-e", "counts")
    assert done.stdout.splitlines() == [f"line {number}" for number in range(1, LINES + 1)]


def test_what_can_not_begin_leaves_with_two(up: Server, project: Path) -> None:
    (project.parent / "outside.csv").write_text("1\n")
    outside = run(up, project.parent, "run", "project", "-b", "slipway", "-P", "data=outside.csv")
    assert (outside.returncode, outside.stdout) == (2, "")
    assert "lies outside of the project" in outside.stderr
    nowhere = run(up, project, "run", ".", "-b", "slipway", "--queue", "none")
    assert (nowhere.returncode, "no queue 'none'" in nowhere.stderr) == (2, True)


def test_listing_following_and_cancelling(up: Server, project: Path) -> None:
    queued = run(up, project, "run", ".", "-b", "slipway", "-e", "counts", "--detach", "--priority", "60")
    number = queued.stdout.strip()
    assert shown(up, number)["priority"] == 60
    listed = run(up, project, "runs", "list", "--mine").stdout.splitlines()
    assert listed[0].split()[:3] == ["RUN", "STATE", "PROJECT"]
    assert number in {line.split()[0] for line in listed[1:]}
    followed = run(up, project, "runs", "logs", "-f", number)
    assert (followed.returncode, len(followed.stdout.splitlines())) == (0, LINES)
    stamped = run(up, project, "runs", "logs", "-t", number).stdout.splitlines()
    assert [line.split(" ", 1)[1] for line in stamped] == followed.stdout.splitlines()
    sleeping = run(up, project, "run", ".", "-b", "slipway", "-e", "sleeps", "--detach").stdout.strip()
    cancelled = run(up, project, "runs", "cancel", sleeping, "--reason", "Enough.")
    assert cancelled.returncode == 0, cancelled.stderr
    assert run(up, project, "runs", "logs", "-f", sleeping).returncode == 130
    assert "Enough." in run(up, project, "runs", "show", sleeping).stdout
    again = run(up, project, "runs", "cancel", sleeping)
    assert (again.returncode, "has ended" in again.stderr) == (2, True)


@contextmanager
def at_a_terminal(up: Server, project: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """`slipway run` of what sleeps, once it runs, and the terminal at which somebody sits."""
    ours, theirs = pty.openpty()
    command = [str(BIN / "slipway"), "run", ".", "-b", "slipway", "-e", "sleeps"]
    process = subprocess.Popen(
        command, cwd=project, env=up.client_env(), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    try:
        yield ours, process
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def read_until(terminal: int, wanted: str) -> str:
    """What comes up to and with some words."""
    said = ""
    while wanted not in said:
        said += os.read(terminal, 4096).decode(errors="replace")
    return said


@pytest.mark.parametrize(("typed", "state"), [(b"y\n", "cancelled"), (b"n\n", "running")])
def test_ctrl_c_asks(up: Server, project: Path, typed: bytes, state: str) -> None:
    with at_a_terminal(up, project) as (terminal, process):
        number = number_in(read_until(terminal, "asleep"))
        process.send_signal(signal.SIGINT)
        read_until(terminal, "[y/N]")
        os.write(terminal, typed)
        read_until(terminal, "was cancelled" if state == "cancelled" else "goes on")
        assert process.wait(60) == 130
    assert shown(up, number)["state"] == state
    if state == "running":
        run(up, project, "runs", "cancel", number)
        run(up, project, "runs", "logs", "-f", number)


@pytest.mark.client
class TestMlflow:
    def test_its_command_line(self, up: Server, project: Path) -> None:
        (project / "cfg.json").write_text('{"priority": 70, "timeout": 120}')
        done = run(up, project, "run", ".", "-b", "slipway", "-c", "cfg.json", "-P", "c=3", program="mlflow")
        assert (done.returncode, "c is 3 and rows are 2" in done.stdout) == (0, True), done.stderr
        found = shown(up, number_in(done.stderr))
        assert (found["priority"], found["limits"]) == (70, {"seconds": 120})
        failed = run(up, project, "run", ".", "-b", "slipway", "-e", "fails", program="mlflow")
        assert (failed.returncode, "failed ===" in failed.stderr) == (1, True)

    def test_its_api(self, up: Server, project: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-c", API], cwd=project, env=up.client_env(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        # The client itself tells where its runs are seen.
        lines = [line for line in done.stdout.splitlines() if line.isascii()]
        assert lines == ["True", "c is 5 and rows are 2", "True FINISHED", "FAILED", "KILLED"]


API = """
import mlflow
from mlflow.entities import RunStatus
from mlflow.projects import SubmittedRun
with mlflow.start_run() as parent:
    later = mlflow.projects.run(".", parameters={"c": 5}, backend="slipway", synchronous=False)
print(isinstance(later, SubmittedRun), flush=True)
good = later.wait()
print(good, RunStatus.to_string(later.get_status()))
assert mlflow.get_run(later.run_id).data.tags["mlflow.parentRunId"] == parent.info.run_id
try:
    mlflow.projects.run(".", entry_point="exits", backend="slipway")
except mlflow.exceptions.ExecutionException as error:
    assert "no entry point 'exits'" in str(error)
quiet = mlflow.projects.run(".", entry_point="sleeps", backend="slipway", synchronous=False)
bad = mlflow.projects.run(".", entry_point="step.py", backend="slipway", synchronous=False)
import contextlib, io
with contextlib.redirect_stdout(io.StringIO()):
    assert bad.wait() is False
    quiet.cancel()
print(RunStatus.to_string(bad.get_status()))
print(RunStatus.to_string(quiet.get_status()))
"""
