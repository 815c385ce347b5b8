"""How quickly models are served: `uv run --group client python -m tests.benchmarks.serving`. Beside other servers."""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks.load import Load, measure
from tests.benchmarks.serving_peers import PEERS, Peer

ROW = [5.1, 3.5, 1.4, 0.2]
COLUMNS = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
BODY = json.dumps({"dataframe_split": {"columns": COLUMNS, "data": [ROW]}})
_TRAIN = """
import inspect, sys, mlflow.sklearn
from mlflow.models import infer_signature
from sklearn import datasets, ensemble, svm
frame, target = datasets.load_iris(return_X_y=True, as_frame=True)
frame.columns = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
kinds = {"svc": svm.SVC(kernel="linear"), "forest": ensemble.RandomForestClassifier(100, random_state=0)}
estimator = kinds[sys.argv[1]].fit(frame, target)
more = {"serialization_format": "cloudpickle"}
mlflow.sklearn.save_model(estimator, sys.argv[2], signature=infer_signature(frame, estimator.predict(frame)),
    pip_requirements=["scikit-learn"], **more)
"""


@dataclass
class Running:
    """A server that is up, and what was measured of it."""

    peer: Peer
    process: subprocess.Popen[bytes]
    port: int
    #: From its start to its first answer, in seconds.
    first: float
    loads: list[Load] = field(default_factory=list)
    memory_mb: float = 0.0

    def memory(self) -> float:
        """Of all its processes, shared pages shared out between them, in MB."""
        return sum(_proportional(pid) for pid in _tree(self.process.pid)) / 1024

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.serving", description=__doc__)
    parser.add_argument("--peers", default=",".join(PEERS), help="which servers, in order")
    parser.add_argument("--models", default="svc,forest")
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=5, help="how often the servers take turns")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--environments", type=Path, default=Path.home() / ".cache" / "slipway-benchmarks")
    options = parser.parse_args()
    pythons = {}
    for name in options.peers.split(","):
        try:
            pythons[name] = PEERS[name].python(options.environments)
        except subprocess.CalledProcessError as error:
            print(f"{name} can't be installed here: {error}", file=sys.stderr)
    for model in options.models.split(","):
        with tempfile.TemporaryDirectory() as folder:
            print(f"\n{model}, {options.connections} connections, {options.workers} workers, {os.cpu_count()} cores\n")
            print(table(compare(model, Path(folder), pythons, options)), flush=True)


def compare(model: str, folder: Path, pythons: dict[str, Path], options: argparse.Namespace) -> list[Running]:
    """All servers up at the same time, and loaded in turns: what else the machine does is the same for all."""
    train = [str(next(iter(pythons.values()))), "-c", _TRAIN, model, str(folder / "model")]
    subprocess.run(train, check=True, stderr=subprocess.DEVNULL)
    running: list[Running] = []
    try:
        for name, python in pythons.items():
            where = folder / name
            where.mkdir()
            try:
                server = start(PEERS[name], python, folder / "model", where, options.workers)
            except RuntimeError as error:
                print(error, file=sys.stderr)
                continue
            print(f"{name}: first answer after {server.first:.1f} s", file=sys.stderr)
            measure(server.port, BODY, options.connections, 1)
            running.append(server)
        for turn in range(options.rounds):
            for server in running if turn % 2 == 0 else running[::-1]:
                server.loads.append(measure(server.port, BODY, options.connections, options.seconds))
                print(f"{server.peer.name:>10} {server.loads[-1]}", file=sys.stderr)
        for server in running:
            server.memory_mb = server.memory()
        return running
    finally:
        for server in running:
            server.stop()


def start(peer: Peer, python: Path, model: Path, where: Path, workers: int) -> Running:
    """Start it, and wait for the first right answer."""
    port = _free_port()
    began = time.perf_counter()
    process = peer.start(python, model, where, port, workers)
    while time.perf_counter() - began < 300:
        if process.poll() is not None:
            break
        said = _ask(port)
        if said is not None:
            assert said == [0], said
            return Running(peer, process, port, time.perf_counter() - began)
        time.sleep(0.02)
    Running(peer, process, port, 0).stop()
    raise RuntimeError(f"{peer.name} does not answer: {(where / 'log').read_text()[-3000:]}")


def _ask(port: int) -> Any:
    """The predictions, or None where there is no answer yet."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", "/invocations", BODY, {"Content-Type": "application/json"})
        response = connection.getresponse()
        data = response.read()
        return json.loads(data)["predictions"] if response.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def table(running: list[Running]) -> str:
    """Markdown: medians of the rounds, and of each round's ratio to the first server's rate."""
    ours = running[0]
    lines = [
        f"| | requests/s | {ours.peer.name} is times as fast | p50 ms | p95 ms | memory MB | first answer s | wrong |",
        "|---|" + "---:|" * 7,
    ]
    for server in running:
        ratios = [a.rate / b.rate for a, b in zip(ours.loads, server.loads, strict=True)]
        figures = [
            f"{statistics.median(load.rate for load in server.loads):,.0f}",
            f"{statistics.median(ratios):.2f}",
            f"{statistics.median(load.p50 for load in server.loads):.2f}",
            f"{statistics.median(load.p95 for load in server.loads):.2f}",
            f"{server.memory_mb:.0f}",
            f"{server.first:.1f}",
            str(sum(load.wrong for load in server.loads)),
        ]
        lines.append(f"| {server.peer.name} | " + " | ".join(figures) + " |")
    return "\n".join(lines)


def _free_port() -> int:
    """A port with two free ones behind it, for who needs more."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as first:
            port: int = first.getsockname()[1]
            try:
                for more in (1, 2):
                    socket.create_server(("127.0.0.1", port + more)).close()
            except OSError:
                continue
            return port


def _tree(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += _tree(int(child))
    return found


def _proportional(pid: int) -> int:
    """In kB."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


if __name__ == "__main__":
    main()
