"""`slipway up`, from the first start to the last process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.servers import free_port
from tests.waiting import until

BIN = Path(sys.executable).parent

pytestmark = [pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"), pytest.mark.xdist_group("up")]


class Up:
    """A running `slipway up`."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data, self.port = data, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [str(BIN / "slipway"), "up", "--port", str(self.port), "--data", str(data), *options]
        self.process = subprocess.Popen(command, env=clean_env(), stdout=subprocess.PIPE, text=True)
        self.greeting = self._read_greeting()

    def _read_greeting(self) -> str:
        assert self.process.stdout
        lines: list[str] = []
        for line in self.process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        return "".join(lines)

    def children(self) -> dict[int, str]:
        """Every process below it: id to command line."""
        return {pid: line for pid, line in processes().items() if str(self.data) in environ(pid) + line}

    def child(self, part: str) -> int:
        return next(pid for pid, line in self.children().items() if part in line and pid != self.process.pid)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


def clean_env() -> dict[str, str]:
    """No settings of the tests' own process."""
    own = ("SLIPWAY_", "DJANGO_", "DATABASE_URL", "REDIS_URL")
    return {name: value for name, value in os.environ.items() if not name.startswith(own)}


def processes() -> dict[int, str]:
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    return found


def environ(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
    except OSError:
        return ""


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    running = Up(tmp_path_factory.mktemp("up") / "data")
    yield running
    if running.process.poll() is None:
        running.stop()


def test_it_greets_with_the_url_the_password_and_three_lines(up: Up) -> None:
    assert f"is ready at {up.url}" in up.greeting
    assert re.search(r"Sign in as +admin\n +Password +\S{16,}", up.greeting)
    assert f"export MLFLOW_TRACKING_URI={up.url}" in up.greeting
    assert "slipway token create admin)" in up.greeting


def test_it_answers_and_nothing_else_listens(up: Up) -> None:
    assert requests.get(f"{up.url}/health", timeout=5).text == "OK"
    assert not [line for line in up.children().values() if "valkey-server" in line and "unixsocket:" not in line]


def test_the_data_folder_is_for_its_owner_alone(up: Up) -> None:
    open_to_others = [path for path in (up.data, *up.data.rglob("*")) if path.lstat().st_mode & 0o077]
    assert [path for path in open_to_others if not path.is_socket()] == []


def test_a_second_one_on_the_same_folder_is_refused(up: Up) -> None:
    done = second("--data", str(up.data), "--port", str(free_port()))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "another `slipway up` runs" in done.stderr


def test_a_taken_port_is_told(up: Up, tmp_path: Path) -> None:
    done = second("--data", str(tmp_path), "--port", str(up.port))
    assert (done.returncode, done.stderr) == (2, f"slipway: port {up.port} is in use; choose another with --port.\n")


@pytest.mark.parametrize("part", ["slipway.cli server", "slipway.cli worker", "valkey-server"])
def test_a_part_that_dies_is_started_again(up: Up, part: str) -> None:
    until(lambda: any(part in line for line in up.children().values()))
    before = up.child(part)
    os.kill(before, signal.SIGKILL)
    until(lambda: before not in up.children() and any(part in line for line in up.children().values()))
    until(lambda: is_healthy(up.url))


def test_stopping_leaves_nothing_and_the_next_start_finds_everything(up: Up) -> None:
    data = up.data
    assert up.stop(signal.SIGINT) == 0
    assert up.children() == {}
    moved = data.rename(data.with_name("moved"))
    again = Up(moved)
    try:
        assert "Password" not in again.greeting
        assert is_healthy(again.url)
    finally:
        again.process.kill()
        again.process.wait()
    # Not even SIGKILL leaves a child behind.
    until(lambda: again.children() == {})


def test_a_data_folder_too_deep_for_a_socket_works(tmp_path: Path) -> None:
    deep = Up(tmp_path / ("d" * 60) / ("e" * 60), "--no-login")
    try:
        assert "TOKEN" not in deep.greeting
        assert requests.get(f"{deep.url}/api/2.0/mlflow/experiments/get?experiment_id=0", timeout=5).status_code == 200
    finally:
        assert deep.stop() == 0


def second(*options: str) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / "slipway"), "up", *options]
    return subprocess.run(command, env=clean_env(), capture_output=True, text=True, check=False, timeout=30)


def is_healthy(url: str) -> bool:
    try:
        return requests.get(f"{url}/health", timeout=5).status_code == 200
    except requests.RequestException:
        return False
