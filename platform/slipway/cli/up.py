"""`slipway up`: everything on this machine. The process that you see starts the others, watches them and ends them.

It loads neither Django nor Celery, so that it costs little while it waits.
"""

from __future__ import annotations

import argparse
import fcntl
import http.client
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import IO

from slipway import env
from slipway.cli import valkey
from slipway.cli.net import port_number, refuse_open_host_without_login, refuse_taken_port
from slipway.cli.supervisor import Part, Supervisor
from slipway.paths import DataFolder

_SLIPWAY = [sys.executable, "-m", "slipway.cli"]
_READY_SECONDS = 120
_MOST_FAILURES = 3
# Its instances finish what they are answering.
_SERVING_GRACE = 45


def main(arguments: Sequence[str]) -> int:
    """Start everything, and stop it at SIGTERM or Ctrl-C."""
    options = _parser().parse_args(arguments)
    if options.data:
        os.environ["SLIPWAY_HOME"] = options.data
    if options.no_login:
        os.environ["SLIPWAY_NO_LOGIN"] = "true"
    os.environ.setdefault("SLIPWAY_LOG_LEVEL", "WARNING")
    refuse_open_host_without_login(options.host)
    data = DataFolder.of_environment()
    _make(data)
    with _locked(data):
        refuse_taken_port(options.host, options.port)
        return _Installation(data, options.host, options.port).run()


class _Failed(Exception):
    """It does not start, and has said why; `code` is the exit status."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class _Installation:
    """What runs on one data folder."""

    def __init__(self, data: DataFolder, host: str, port: int) -> None:
        self.data, self.host, self.port = data, host, port
        self.supervisor = Supervisor(_complain)

    def run(self) -> int:
        """Until asked to stop; 1 where it does not start."""
        try:
            self._start()
            self.supervisor.run()
            return 0
        except _Failed as failure:
            return failure.code
        finally:
            self.supervisor.stop()

    def _start(self) -> None:
        if not env.text("REDIS_URL"):
            self._add("queue", valkey.command(self.data))
            self._wait(lambda: valkey.answers(self.data.socket))
        os.environ.setdefault("SLIPWAY_LINK_URL", self.url)
        password = self._migrate()
        address = ["--host", self.host, "--port", str(self.port)]
        self._add("web server", [*_SLIPWAY, "server", *address])
        self._wait(self._is_healthy)
        _greet(self.url, password, self.data)
        # Last: while they load, pages answer.
        self._add("worker", [*_SLIPWAY, "worker", "--beat"])
        self._add("serving", [*_SLIPWAY, "serving"], grace=_SERVING_GRACE)

    @property
    def url(self) -> str:
        """Where people and scripts on this machine reach it."""
        given = env.public_url("SLIPWAY_PUBLIC_URL")
        return given or f"http://{_bracketed(_reachable(self.host))}:{self.port}"

    def _add(self, name: str, command: Sequence[str], grace: float = 10) -> None:
        self.supervisor.add(Part(name, command, os.environ, grace))

    def _migrate(self) -> str:
        """The administrator's password where one was made, else empty."""
        command = [*_SLIPWAY, "migrate", "--password-only"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode or self.supervisor.stopping:
            raise _Failed(done.returncode)
        return done.stdout.strip()

    def _wait(self, is_there: Callable[[], bool]) -> None:
        """Until `is_there`. Raises `_Failed` where a part keeps failing, it takes too long, or we are asked to stop."""
        end = time.monotonic() + _READY_SECONDS
        while not is_there():
            if self.supervisor.stopping:
                raise _Failed(0)
            if time.monotonic() > end:
                _complain("it does not get ready; /health says which part fails")
                raise _Failed(1)
            self.supervisor.pause(0.05)
            self._look()

    def _look(self) -> None:
        for part in self.supervisor.parts:
            part.look(_complain)
            if part.failures >= _MOST_FAILURES:
                _complain(f"the {part.name} does not start")
                raise _Failed(1)

    def _is_healthy(self) -> bool:
        with closing(http.client.HTTPConnection(_reachable(self.host), self.port, timeout=5)) as connection:
            try:
                connection.request("GET", "/health")
                return connection.getresponse().status == 200
            except (OSError, http.client.HTTPException):
                return False


def _make(data: DataFolder) -> None:
    try:
        data.make()
    except OSError as error:
        raise env.WrongSetting(f"SLIPWAY_HOME: {data.root} can't be made ({error.strerror}).") from error


def _locked(data: DataFolder) -> IO[str]:
    """Holds the data folder until closed; the lock ends with us, however we end."""
    lock = (data.run / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise env.WrongSetting(f"SLIPWAY_HOME: another `slipway up` runs on {data.root}.") from error
    return lock


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "[::]": "::1"}.get(host, host.strip("[]"))  # noqa: S104


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _greet(url: str, password: str, data: DataFolder) -> None:
    name = env.text("SLIPWAY_ADMIN_USERNAME", "admin")
    no_login = env.flag("SLIPWAY_NO_LOGIN")
    is_default = data.root == DataFolder.default_root()
    # uv tells what it runs that it does: then the command alone may be on nobody's path.
    slipway = "uv run slipway" if os.environ.get("UV") else "slipway"
    command = slipway if is_default else f"SLIPWAY_HOME={shlex.quote(str(data.root))} {slipway}"
    lines = ["", f"  Slipway {version('slipway')} is ready at {url}", ""]
    if password:
        lines += [f"  Sign in as  {name}", f"  Password    {password}   (shown this once)", ""]
    lines += ["  Where your training script runs:", "", "    pip install mlflow"]
    lines += [f"    export MLFLOW_TRACKING_URI={url}"]
    if not no_login:
        lines += [f"    export MLFLOW_TRACKING_TOKEN=$({command} token create {name})"]
    lines += ["", f"  The data is in {_short(data.root)}. Ctrl-C stops everything.", ""]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _short(path: Path) -> str:
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)


def _complain(message: str) -> None:
    sys.stderr.write(f"slipway: {message}\n")
    sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("slipway up", description="Run everything on this machine.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=port_number, default=5000, help="port to listen on (default %(default)s)")
    parser.add_argument("--data", metavar="DIR", help="the data folder (default: SLIPWAY_HOME, else ~/.slipway)")
    parser.add_argument("--no-login", action="store_true", help="every request is the administrator; loopback only")
    return parser
