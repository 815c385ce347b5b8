"""What happens to an installation: parts are killed, all of it is taken down, its host stops hard."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
import requests

from tests.compose.asking import all_healthy, answer, called, fetch, logged, runs, wait_for
from tests.compose.engine import Engine
from tests.compose.stack import LARGE, URL, Stack
from tests.servers import Server


@pytest.mark.parametrize("service", ["proxy", "web", "worker", "serving", "scheduler", "valkey", "s3", "postgres"])
def test_it_gets_over_a_kill(up: Stack, server: Server, docker: Engine, tmp_path: Path, service: str) -> None:
    """Killed from outside, as the kernel does; the engine's own `kill` would count as the operator's wish."""
    began = time.monotonic()
    pid = int(docker.docker("inspect", "--format", "{{.State.Pid}}", f"slipway-{service}-1"))
    before = docker.docker("inspect", "--format", "{{.State.StartedAt}}", f"slipway-{service}-1")
    os.kill(pid, signal.SIGKILL)
    if service == "web":
        # There is another, and what reached nobody is tried there.
        for _ in range(20):
            assert requests.get(f"{URL}/version", timeout=30).status_code == 200
    wait_for(lambda: docker.docker("inspect", "--format", "{{.State.StartedAt}}", f"slipway-{service}-1") != before)
    wait_for(lambda: all_healthy(up))
    wait_for(lambda: requests.get(f"{URL}/health", timeout=30).status_code == 200)
    run_id = logged(server, tmp_path, f"after {service}")
    assert called(server, "GET", "2.0/mlflow/runs/get", {"run_id": run_id})["run"]["info"]["status"] == "FINISHED"
    wait_for(lambda: answer(server) == [42.0])
    print(f"\n{service}: whole again after {time.monotonic() - began:.0f} s")  # noqa: T201


def test_down_and_up_again_keeps_all(up: Stack, server: Server, tmp_path: Path) -> None:
    found = runs(server)
    assert len(found) >= 11
    up.compose("down")
    assert up.containers() == []
    seconds = up.up()
    print(f"\nup --wait, with data: {seconds:.0f} s")  # noqa: T201
    assert runs(server) == found
    (first,) = (run_id for run_id, name in found.items() if name == "first")
    assert (fetch(server, first, "small.txt", tmp_path / "back")).read_text() == "kept"
    large = fetch(server, first, "large.bin", tmp_path / "back")
    assert large.stat().st_size == LARGE
    wait_for(lambda: answer(server) == [42.0])
    assert "events" in up.slipway("audit", "verify")


def test_the_engine_dies_and_all_is_there(up: Stack, server: Server, docker: Engine) -> None:
    """A host that stops hard: nothing is asked to end."""
    found = runs(server)
    docker.crash_and_restart()
    wait_for(lambda: all_healthy(up))
    wait_for(lambda: requests.get(f"{URL}/health", timeout=30).status_code == 200)
    assert runs(server) == found
    wait_for(lambda: answer(server) == [42.0])
