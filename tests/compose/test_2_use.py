"""What people do with it, through the proxy: sign in, log, watch, run a project, deploy a model."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from pathlib import Path

import requests

from tests.compose.asking import BIN, answer, called, csrf, digest, fetch, logged, ran
from tests.compose.engine import Engine
from tests.compose.stack import ADMIN, LARGE, URL, Stack
from tests.e2e.browser import chromium, signed_in
from tests.e2e.serving import register, write_model
from tests.servers import Server

_BLOCK = hashlib.sha512(b"slipway").digest() * 16384
PROJECT = """
name: composed
entry_points:
  main:
    command: "echo user $(id -u); ls -A /data; ls /run/secrets 2>&1; env | grep -c SECRET || true"
"""
# It finds the server that it logs to by the address that it is given.
IN_CONTAINER = """
name: contained
docker_env: {image: "python:3.12-slim"}
entry_points:
  main:
    command: >-
      python3 -c "import os, urllib.request as r;
      print(r.urlopen(os.environ['MLFLOW_TRACKING_URI'] + '/health').status)"
"""


def test_a_browser_signs_in(up: Stack, server: Server) -> None:
    with requests.Session() as browser:
        page = browser.get(f"{URL}/login/", timeout=30)
        assert page.headers["Strict-Transport-Security"] and "Server" not in page.headers
        form = {"login": ADMIN, "password": up.secret("admin_password"), "csrfmiddlewaretoken": csrf(page.text)}
        signed = browser.post(f"{URL}/login/", data=form, headers={"Referer": f"{URL}/login/"}, timeout=30)
        assert signed.url == f"{URL}/" and ADMIN in signed.text
        assert browser.cookies["slipway_session"]
    plain = requests.get("http://localhost/login/", timeout=30, allow_redirects=False)
    assert (plain.status_code, plain.headers["Location"]) == (308, f"{URL}/login/")


def test_a_client_logs_and_fetches(server: Server, tmp_path: Path) -> None:
    large, small = tmp_path / "large.bin", tmp_path / "small.txt"
    with large.open("wb") as file:
        for number in range(LARGE // len(_BLOCK)):
            file.write(number.to_bytes(8, "big") + _BLOCK[8:])
    small.write_text("kept")
    began = time.monotonic()
    run_id = logged(server, tmp_path, "first", large, small)
    sent = time.monotonic()
    fetched = fetch(server, run_id, "large.bin", tmp_path / "back")
    print(f"\n600 MB: {sent - began:.0f} s there, {time.monotonic() - sent:.0f} s back")  # noqa: T201
    assert digest(fetched) == digest(large)


def test_what_is_stored_is_encrypted(server: Server, docker: Engine, tmp_path: Path) -> None:
    """The store's own files don't hold what was sent, since SLIPWAY_S3_ENCRYPTION is on."""
    marked = tmp_path / "marked.bin"
    marked.write_bytes(os.urandom(5000) + b"NOBODY READS THIS" + os.urandom(5000))
    run_id = logged(server, tmp_path, "encrypted", marked)
    assert digest(fetch(server, run_id, "marked.bin", tmp_path / "back")) == digest(marked)
    found = docker.docker("exec", "slipway-s3-1", "sh", "-c", "grep -rl 'NOBODY READS' /store || true")
    assert found == ""


def test_pages_move_through_the_proxy(up: Stack, server: Server, tmp_path: Path) -> None:
    run_id = logged(server, tmp_path, "watched")
    with chromium() as browser:
        password = up.secret("admin_password")
        with signed_in(browser, server, ADMIN, password, ignore_https_errors=True) as page:
            page.set_default_timeout(60_000)
            with page.expect_websocket(lambda socket: f"/ws/runs/{run_id}/" in socket.url) as found:
                page.goto(f"/runs/{run_id}/")
            body = {"run_id": run_id, "key": "seen", "value": 4.5, "timestamp": 1, "step": 1}
            with found.value.expect_event("framereceived", timeout=60_000):
                called(server, "POST", "2.0/mlflow/runs/log-metric", body)


def test_a_project_runs_in_a_sandbox(server: Server, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "MLproject").write_text(PROJECT)
    done = subprocess.run(
        [BIN / "slipway", "run", ".", "--backend", "slipway"],
        cwd=project, env=server.client_env(), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "user 1000",
        # Where its own environment is.
        "environments",
        "ls: cannot access '/run/secrets': No such file or directory",
        "0",
    ]
    number = done.stderr.split("Run ", 1)[1].split(" ", 1)[0]
    assert called(server, "GET", f"v1/project-runs/{number}/")["isolation"] == "sandboxed"


def test_a_deployment_answers(server: Server, tmp_path: Path) -> None:
    register(server, "doubling", write_model(tmp_path / "model"))
    asked = ("deployments", "create", "doubling", "-m", "models:/doubling/1", "--wait", "--timeout", "600")
    ran([BIN / "slipway", *asked], server.client_env(), tmp_path)
    assert answer(server) == [42.0]


def test_a_project_runs_in_a_container_of_its_own(up: Stack, server: Server, tmp_path: Path) -> None:
    """By the worker that has the engine's socket, which is started by choice alone."""
    try:
        up.compose("--profile", "docker", "up", "--detach", "--no-build", "--wait", "worker-docker")
        called(server, "POST", "v1/queues/", {"name": "docker", "description": "Runs with an image of their own."})
        (tmp_path / "MLproject").write_text(IN_CONTAINER)
        done = subprocess.run(
            [BIN / "slipway", "run", ".", "--backend", "slipway", "--queue", "docker"],
            cwd=tmp_path, env=server.client_env(), capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (0, "200\n"), done.stderr
    finally:
        up.compose("--profile", "docker", "rm", "--stop", "--force", "worker-docker")
