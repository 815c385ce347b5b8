"""Real servers for the tests that need one: ours as processes of its own, and MLflow's own beside it."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import requests

POSTGRES = os.environ.get("SLIPWAY_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
REDIS = os.environ.get("SLIPWAY_TEST_REDIS", "redis://127.0.0.1:6379/7")
ADMIN_PASSWORD = "a long enough password"
_BIN = Path(sys.executable).parent
_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


@dataclass
class Server:
    """A running server. `token` is the administrator's; empty for MLflow's own, which has no login."""

    url: str
    process: subprocess.Popen[bytes]
    token: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    log: Path | None = None

    def client_env(self) -> dict[str, str]:
        """What a script's environment needs to log here."""
        env = {**os.environ, **_QUIET, "MLFLOW_TRACKING_URI": self.url, "MLFLOW_ENABLE_ASYNC_LOGGING": "false"}
        return {**env, "MLFLOW_TRACKING_TOKEN": self.token} if self.token else env

    def command(self, *arguments: str, stdin: str | None = None) -> str:
        """What `slipway ARGUMENTS` prints, run on this server's data."""
        done = subprocess.run(
            [_BIN / "slipway", *arguments], env=dict(self.env), input=stdin, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def postgres_is_there() -> bool:
    """Whether the tests' PostgreSQL answers."""
    try:
        psycopg.connect(POSTGRES, connect_timeout=2).close()
    except psycopg.Error:
        return False
    return True


@contextmanager
def postgres_database() -> Iterator[str]:
    """The URL of an empty database, which is dropped after."""
    name = f"slipway_test_{secrets.token_hex(6)}"
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type,unused-ignore]
    try:
        yield POSTGRES.rsplit("/", 1)[0] + f"/{name}"
    finally:
        with psycopg.connect(POSTGRES, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type,unused-ignore]


@contextmanager
def slipway_up(home: Path, *options: str, **more_env: str) -> Iterator[Server]:
    """`slipway up`, as a newcomer starts it."""
    env = _slipway_env(home, more_env)
    port = free_port()
    with running([str(_BIN / "slipway"), "up", "--port", str(port), *options], env, home / "up.log") as server:
        server.url = f"http://127.0.0.1:{port}"
        wait_until_healthy(server)
        server.token = server.command("token", "create", "admin")
        yield server


@contextmanager
def slipway_server(home: Path, *, database: str, redis: str = REDIS, **more_env: str) -> Iterator[Server]:
    """`slipway server` alone, on a database and broker that are there."""
    env = _slipway_env(home, {"DATABASE_URL": database, "REDIS_URL": redis, **more_env})
    subprocess.run([_BIN / "slipway", "migrate"], env=env, check=True, capture_output=True)
    port = free_port()
    command = [str(_BIN / "slipway"), "server", "-h", "127.0.0.1", "-p", str(port)]
    with running(command, env, home / "server.log") as server:
        server.url = f"http://127.0.0.1:{port}"
        wait_until_healthy(server)
        server.token = server.command("token", "create", "admin")
        yield server


@contextmanager
def mlflow_server(home: Path, *, database: str = "", workers: int = 1) -> Iterator[Server]:
    """MLflow's own server, on SQLite or the database named."""
    store = database.replace("postgresql://", "postgresql+psycopg://") or f"sqlite:///{home}/mlflow.db"
    port = free_port()
    command = [str(_BIN / "mlflow"), "server", "--backend-store-uri", store, "--port", str(port)]
    command += ["--workers", str(workers)]
    command += ["--artifacts-destination", str(home / "mlartifacts")]
    with running(command, {**os.environ, **_QUIET}, home / "mlflow.log") as server:
        server.url = f"http://127.0.0.1:{port}"
        wait_until_healthy(server, seconds=180)
        yield server


@contextmanager
def running(command: list[str], env: Mapping[str, str], log: Path) -> Iterator[Server]:
    """A process, ended with SIGTERM (after 20 s SIGKILL to its whole group) when the block is left."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=dict(env), stdout=out, stderr=out, start_new_session=True)
    server = Server(url="", process=process, env=env, log=log)
    try:
        yield server
    finally:
        _end(server.process)  # a test may have put another in its place


def wait_until_healthy(server: Server, seconds: float = 120) -> None:
    """Until `/health` answers 200. Shows the server's log when it does not."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.process.poll() is None:
        try:
            if requests.get(f"{server.url}/health", timeout=2).status_code == 200:
                return
        except requests.RequestException:
            time.sleep(0.1)
    tail = server.log.read_text()[-3000:] if server.log else ""
    raise AssertionError(f"the server did not become healthy:\n{tail}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def _slipway_env(home: Path, more: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"DJANGO_SETTINGS_MODULE", "DATABASE_URL"}}
    return {
        **kept,
        "SLIPWAY_HOME": str(home),
        "SLIPWAY_ADMIN_PASSWORD": ADMIN_PASSWORD,
        "SLIPWAY_SECRET_KEY": "only-for-tests-" + "x" * 40,
        "DJANGO_SETTINGS_MODULE": "slipway.settings.prod",
        **more,
    }
