"""Web, worker and scheduler as processes of their own, on PostgreSQL and Redis."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tests.servers import (
    Server,
    free_port,
    postgres_database,
    postgres_is_there,
    running,
    slipway_server,
    wait_until_healthy,
)
from tests.waiting import PATIENCE, until

pytestmark = [
    pytest.mark.skipif(not postgres_is_there(), reason="PostgreSQL does not answer at SLIPWAY_TEST_POSTGRES"),
    pytest.mark.xdist_group("parts"),
]


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("parts")
    slipway = str(Path(sys.executable).parent / "slipway")
    with ExitStack() as stack:
        database = stack.enter_context(postgres_database())
        server = stack.enter_context(slipway_server(home, database=database))
        stack.enter_context(running([slipway, "worker"], server.env, home / "worker.log"))
        stack.enter_context(running([slipway, "scheduler"], server.env, home / "scheduler.log"))
        yield server


def test_scheduled_work_is_queued_and_done(web: Server) -> None:
    def heard() -> bool:
        parts = requests.get(f"{web.url}/health/ready", timeout=5).json()["parts"]
        return set(parts.values()) == {"ok"}

    until(heard, seconds=60)


def test_calls_are_answered(web: Server) -> None:
    answer = requests.get(
        f"{web.url}/api/2.0/mlflow/experiments/get",
        params={"experiment_id": "0"},
        headers={"Authorization": f"Bearer {web.token}"},
        timeout=5,
    )
    assert answer.json()["experiment"]["name"] == "Default"


def test_slow_transfers_do_not_hold_up_calls(web: Server) -> None:
    """More of them than there are threads and connections of the pool."""

    address = urlsplit(web.url)
    head = (
        "PUT /api/2.0/mlflow-artifacts/artifacts/0/nowhere/artifacts/f HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {web.token}\r\nContent-Length: 90000000\r\n\r\n"
    )
    with ExitStack() as stack:
        for _ in range(40):
            client = stack.enter_context(socket.create_connection((address.hostname or "", address.port or 0)))
            client.sendall(head.encode() + b"x" * 1_100_000)
        test_calls_are_answered(web)


@pytest.mark.parametrize(
    ("status", "path", "headers"),
    [(414, "/health?" + "q" * 200_000, {}), (431, "/health", {"X-Long": "h" * 200_000})],
    ids=["url", "header"],
)
def test_what_is_too_long_is_refused(web: Server, status: int, path: str, headers: dict[str, str]) -> None:
    assert requests.get(web.url + path, headers=headers, timeout=5).status_code == status
    test_calls_are_answered(web)


def test_a_body_that_is_too_big_is_refused_with_an_answer(web: Server) -> None:
    answer = requests.post(
        f"{web.url}/api/2.0/mlflow/experiments/create",
        data=b" " * 40_000_000,
        headers={"Authorization": f"Bearer {web.token}", "Content-Type": "application/json"},
        timeout=20,
    )
    assert answer.status_code == 413
    assert answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"


def test_several_workers_answer_and_one_that_dies_is_replaced(web: Server, tmp_path: Path) -> None:
    slipway, port = str(Path(sys.executable).parent / "slipway"), free_port()
    command = [slipway, "server", "-p", str(port), "--workers", "2"]
    with running(command, web.env, tmp_path / "server.log") as server:
        server.url = f"http://127.0.0.1:{port}"
        wait_until_healthy(server)
        until(lambda: len(_workers_of(server)) == 2, seconds=PATIENCE)
        gone = _workers_of(server)[0]
        os.kill(gone, signal.SIGKILL)
        until(lambda: len(_workers_of(server)) == 2 and gone not in _workers_of(server), seconds=PATIENCE)
        wait_until_healthy(server)
        left = _workers_of(server)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE) == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in left)


def test_a_port_that_is_taken_is_said_in_one_line(web: Server) -> None:
    slipway, port = str(Path(sys.executable).parent / "slipway"), urlsplit(web.url).port
    said = subprocess.run(
        [slipway, "server", "-p", str(port)], env=web.env, capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stderr) == (2, f"slipway: port {port} is in use; choose another with --port.\n")


def _workers_of(server: Server) -> list[int]:
    """The processes below it that answer requests; the parent has one more that tracks what they share."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
