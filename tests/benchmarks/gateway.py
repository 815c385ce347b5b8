"""What the gateway costs, beside direct calls: `uv run --group client python -m tests.benchmarks.gateway`.

The instance is Slipway's scoring server with iris, on a port for direct calls and on a unix socket for the gateway,
which is `slipway server` on a data folder of its own. Needs `wrk` and the tests' Redis.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import requests

from tests.benchmarks.serving import _TRAIN, BODY
from tests.servers import REDIS, free_port

ROOT = Path(__file__).resolve().parents[2]
_BIN = Path(sys.executable).parent
_ROWS = """
from apps.accounts.models import Team
from tests.deployments.gateway.making import make_deployment, make_instance, make_revision
make_instance(make_revision(make_deployment(Team.objects.first(), "iris")), "{address}")
"""
_TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.gateway", description=__doc__)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sw-") as name, ExitStack() as stack:
        folder = Path(name)
        train = [sys.executable, "-c", _TRAIN, "svc", str(folder / "model")]
        subprocess.run(train, check=True, stderr=subprocess.DEVNULL)
        direct, port = free_port(), free_port()
        stack.enter_context(scoring(folder, "direct", {"host": "127.0.0.1", "port": direct}))
        stack.enter_context(scoring(folder, "behind", {"unix": str(folder / "socket")}))
        gateway, token = stack.enter_context(serving(folder, port))
        url = f"http://127.0.0.1:{port}/serve/iris/invocations"
        urls = {f"http://127.0.0.1:{direct}/invocations": None, url: gateway}
        for each in urls:
            wait(each, token)
        compare(urls, token, options)


def compare(urls: dict[str, int | None], token: str, options: argparse.Namespace) -> None:
    """In turns, so that what else the machine does is the same for both."""
    rates: dict[str, list[float]] = {url: [] for url in urls}
    burnt: list[float] = []
    for turn in range(options.rounds):
        for url in list(urls)[:: 1 if turn % 2 == 0 else -1]:
            pid = urls[url]
            before = ticks(pid)
            rate, count = load(url, token, options)
            rates[url].append(rate)
            if pid is not None:
                burnt.append((ticks(pid) - before) / _TICKS * 1000 / count)
            print(f"{url.split('/', 3)[3]:>24} {rate:8.0f} requests/s", file=sys.stderr)
    direct, through = rates.values()
    shares = [b / a for a, b in zip(direct, through, strict=True)]
    print(f"direct {statistics.median(direct):.0f}, through the gateway {statistics.median(through):.0f} requests/s")
    print(f"share {statistics.median(shares):.2f} (from {min(shares):.2f} to {max(shares):.2f})")
    print(f"the gateway's process burns {statistics.median(burnt):.2f} ms for a call")


@contextmanager
def scoring(folder: Path, name: str, listen: dict[str, object]) -> Iterator[None]:
    """An instance."""
    config = folder / f"{name}.json"
    config.write_text(json.dumps({"model": str(folder / "model"), "name": "iris", "listen": listen}))
    launch = ROOT / "apps" / "deployments" / "scoring" / "launch.py"
    with process([sys.executable, "-I", str(launch), str(config)], folder / f"{name}.log"):
        yield


@contextmanager
def serving(folder: Path, port: int) -> Iterator[tuple[int, str]]:
    """The gateway's process and a token for it."""
    home = folder / "home"
    home.mkdir()
    env = {
        **os.environ,
        "SLIPWAY_HOME": str(home),
        "SLIPWAY_SECRET_KEY": "only-for-tests-" + "x" * 40,
        "SLIPWAY_ADMIN_PASSWORD": "a long enough password",
        "SLIPWAY_LOG_LEVEL": "WARNING",
        "REDIS_URL": REDIS,
    }
    env.pop("DATABASE_URL", None)
    subprocess.run([_BIN / "slipway", "migrate"], env=env, check=True, capture_output=True)
    said = subprocess.run([_BIN / "slipway", "token", "create", "admin"], env=env, check=True, capture_output=True)
    rows = _ROWS.format(address=f"unix:{folder / 'socket'}")
    subprocess.run([sys.executable, "manage.py", "shell", "-c", rows], cwd=ROOT, env=env, check=True)
    with process([str(_BIN / "slipway"), "server", "-p", str(port)], folder / "server.log", env) as pid:
        yield pid, said.stdout.decode().strip()


@contextmanager
def process(command: Sequence[str], log: Path, env: dict[str, str] | None = None) -> Iterator[int]:
    """One that ends with the block."""
    with log.open("wb") as out:
        started = subprocess.Popen(command, env=env, stdout=out, stderr=out, start_new_session=True)
    try:
        yield started.pid
    finally:
        started.send_signal(signal.SIGTERM)
        started.wait(20)


def wait(url: str, token: str) -> None:
    """Until it answers."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            if requests.post(url, BODY, headers=headers, timeout=10).status_code == 200:
                return
        except requests.RequestException:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"{url} does not answer")


def load(url: str, token: str, options: argparse.Namespace) -> tuple[float, int]:
    """Requests a second, and how many; fails where one was not answered 200."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f"wrk.method = 'POST'\nwrk.body = [==[{BODY}]==]\n")
        script.write("wrk.headers['Content-Type'] = 'application/json'\n")
        script.write(f"wrk.headers['Authorization'] = 'Bearer {token}'\n")
        script.flush()
        command = ["wrk", "-t1", f"-c{options.connections}", f"-d{options.seconds}s", "-s", script.name, url]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "Non-2xx" not in said, said
    rate, count = re.search(r"Requests/sec:\s+([\d.]+)", said), re.search(r"(\d+) requests in", said)
    assert rate is not None, said
    assert count is not None, said
    return float(rate[1]), int(count[1])


def ticks(pid: int | None) -> int:
    """What a process has burnt, in clock ticks."""
    if pid is None:
        return 0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


if __name__ == "__main__":
    main()
