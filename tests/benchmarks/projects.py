"""How quickly projects run: `uv run --group client python -m tests.benchmarks.projects`. Beside `mlflow run`."""

from __future__ import annotations

import argparse
import io
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests

from tests.kills.parts import Installation, children_of, installation
from tests.kills.rounds import rows

_BIN = Path(sys.executable).parent
_TICKS = os.sysconf("SC_CLK_TCK")
FIRST = "import time\nprint('first', time.time(), flush=True)\n"
SKLEARN = {
    "MLproject": "name: first\npython_env: python_env.yaml\nentry_points: {main: {command: python first.py}}\n",
    "python_env.yaml": "dependencies: [scikit-learn]\n",
    "first.py": FIRST,
}
SHORT = {"MLproject": "name: short\nentry_points: {main: {command: 'true'}}\n"}


class Api:
    """The calls that are measured, and those around them."""

    def __init__(self, there: Installation) -> None:
        self._url = f"{there.url}/api/v1"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {there.token}"

    def upload(self, files: Mapping[str, str]) -> int:
        """The id of an archive of these files."""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
        headers = {"Content-Type": "application/zip"}
        url = f"{self._url}/project-archives/"
        return int(self._session.post(url, data=content.getvalue(), headers=headers, timeout=60).json()["id"])

    def start(self, archive: int, **asked: Any) -> str:
        """The id of a queued run."""
        answer = self._session.post(f"{self._url}/project-runs/", json={"archive": archive, **asked}, timeout=60)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def first_line(self, run: str) -> float:
        """When the first line of its code ran, in seconds since the epoch; waits for its end."""
        end = time.monotonic() + 300
        while time.monotonic() < end:
            row = self._session.get(f"{self._url}/project-runs/{run}/", timeout=60).json()
            if row["state"] in ("finished", "failed", "lost", "cancelled"):
                log = self._session.get(f"{self._url}/project-runs/{run}/log/", timeout=60).text
                assert row["state"] == "finished", (row["message"], log)
                return _first_in(log)
            time.sleep(0.02)
        raise AssertionError(f"run {run} takes too long")


def press_to_first_line(api: Api, archive: int) -> float:
    """Seconds from the call that queues to the first line of the user's code."""
    began = time.time()
    return api.first_line(api.start(archive)) - began


def mlflow_run(there: Installation, folder: Path, env_manager: str) -> float:
    """The same of `mlflow run`, on the same tracking server."""
    env = {
        **os.environ,
        "MLFLOW_TRACKING_URI": there.url,
        "MLFLOW_TRACKING_TOKEN": there.token,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PATH": f"{_BIN}{os.pathsep}{os.environ['PATH']}",
    }
    began = time.time()
    command = [str(_BIN / "mlflow"), "run", str(folder), "--env-manager", env_manager]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return _first_in(done.stdout) - began


def many_short(there: Installation, api: Api, count: int) -> dict[str, float]:
    """Figures of `count` runs of `true` that are queued before two workers begin: seconds, and CPU milliseconds a run.

    `children` are the guardians, sandboxes, shells and commands; `command` what the shell with the command takes alone.
    """
    archive, chance = api.upload(SHORT), random.Random(7)
    api.start(archive)  # its environment is warm
    _until_ended(there)
    workers = [part for name, part in there.parts.items() if name.startswith("worker")]
    for worker in workers:
        worker.kill()
    first = int(rows(there.database, "SELECT max(id) FROM projects_projectrun")[0][0])
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: api.start(archive, priority=chance.randint(0, 100)), range(count)))
    before, began = _cpu(there), time.monotonic()
    for worker in workers:
        worker.start()
    _until_ended(there)
    took, after = time.monotonic() - began, _cpu(there)
    used = {name: 1000 * (after[name] - before.get(name, 0)) / count for name in after}
    return {
        "seconds": took,
        **used,
        "command": _cost_of_command(),
        "not finished": float(rows(there.database, _OTHERS.format(first))[0][0]),
        "out of order": float(rows(there.database, _INVERSIONS.format(first))[0][0]),
    }


_OTHERS = "SELECT count(*) FROM projects_projectrun WHERE id > {} AND state <> 'finished'"
# Claims after which one of a higher priority was claimed, although all were there from the start.
_INVERSIONS = """
SELECT count(*) FROM (
  SELECT priority, min(priority) OVER (ORDER BY claimed_ms RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS least
  FROM projects_projectrun WHERE id > {}
) AS claims WHERE priority > least
"""


def _until_ended(there: Installation, seconds: float = 1800) -> None:
    query = "SELECT count(*) FROM projects_projectrun WHERE state IN ('queued', 'preparing', 'running')"
    end = time.monotonic() + seconds
    while int(rows(there.database, query)[0][0]):
        assert time.monotonic() < end, "the queue does not become empty"
        time.sleep(0.25)


def _cpu(there: Installation) -> dict[str, float]:
    """CPU seconds of the parts, and of what the workers' children took in all."""
    used = {"workers": 0.0, "children": 0.0, "web": 0.0, "database": 0.0, "broker": 0.0}
    for name, part in there.parts.items():
        if part.process is None or part.process.poll() is not None:
            continue
        own, children = _times(part.process.pid)
        if name.startswith("worker"):
            used["workers"] += own
            used["children"] += children
        elif name == "database":
            used["database"] += own + children + sum(_times(pid)[0] for pid in children_of(part.process.pid))
        elif name in used:
            used[name] += own
    return used


def _times(pid: int) -> tuple[float, float]:
    """CPU seconds of a process, and of its children that ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0, 0.0
    user, system, child_user, child_system = (int(value) / _TICKS for value in fields[11:15])
    return user + system, child_user + child_system


def _cost_of_command() -> float:
    before = os.times()
    for _ in range(50):
        subprocess.run(["bash", "-c", "true"], check=True)
    after = os.times()
    return 1000 * (after.children_user + after.children_system - before.children_user - before.children_system) / 50


def _first_in(text: str) -> float:
    found = re.search(r"\bfirst (\d+\.\d+)", text)
    assert found, text
    return float(found[1])


def _median(measure: Callable[[], float], count: int) -> str:
    times = sorted(measure() for _ in range(count))
    return f"{statistics.median(times):.2f} s (of {count}; {times[0]:.2f} to {times[-1]:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser("python -m tests.benchmarks.projects", description=__doc__)
    parser.add_argument("--only", default="press,mlflow,cold,short", help="which, separated by commas")
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--runs", type=int, default=1000)
    options = parser.parse_args()
    wanted = options.only.split(",")
    with tempfile.TemporaryDirectory(prefix="slipway-bench-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        if "cold" in wanted:
            os.environ["UV_CACHE_DIR"] = str(home / "uv")  # nothing is downloaded yet
        with installation(home, with_postgres=True) as there:
            _measure(there, home, wanted, options.times, options.runs)


def _measure(there: Installation, home: Path, wanted: list[str], times: int, runs: int) -> None:
    api = Api(there)
    if {"cold", "press"} & {*wanted}:
        archive = api.upload(SKLEARN)
        cold = press_to_first_line(api, archive)
        print(f"press to first line, scikit-learn to be installed: {cold:.1f} s", flush=True)
    if "press" in wanted:
        print(f"press to first line, warm: {_median(lambda: press_to_first_line(api, archive), times)}", flush=True)
    if "mlflow" in wanted:
        project = home / "project"
        project.mkdir()
        for name, text in SKLEARN.items():
            (project / name).write_text(text)
        for manager in ("local", "uv"):
            mlflow_run(there, project, manager)  # makes its environment
            said = _median(lambda manager=manager: mlflow_run(there, project, manager), times)  # type: ignore[misc]
            print(f"mlflow run --env-manager {manager}: {said}", flush=True)
        shutil.rmtree(project)
    if "short" in wanted:
        for name, figure in many_short(there, api, runs).items():
            print(f"{runs} short runs, {name}: {figure:.1f}", flush=True)


if __name__ == "__main__":
    main()
