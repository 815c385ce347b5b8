"""Runs the workloads on each server in turn and prints a table. Needs PostgreSQL and Redis, as the tests do."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.http import Caller
from tests.benchmarks.peers import PEERS
from tests.benchmarks.workload import Workload
from tests.benchmarks.workloads import WORKLOADS
from tests.servers import postgres_database

Figures = dict[str, dict[str, list[float]]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--peers", default=",".join(PEERS), help="which servers, in order")
    parser.add_argument("--only", default="", help="which workloads, like W1,R2")
    parser.add_argument("--seconds", type=float, default=5, help="length of each timed workload")
    parser.add_argument("--rounds", type=int, default=3, help="how often the servers take turns")
    options = parser.parse_args()
    wanted = [kind for kind in WORKLOADS if not options.only or kind.name in options.only.split(",")]
    figures: Figures = {kind.name: {} for kind in wanted}
    names = options.peers.split(",")
    for round_number in range(options.rounds):
        # Turns are swapped from round to round, so that a machine that gets slower is fair to both.
        for name in names if round_number % 2 == 0 else names[::-1]:
            measure_peer(name, [kind(options.seconds) for kind in wanted], figures)
    print(table(figures, wanted, names))


def measure_peer(name: str, workloads: list[Workload], figures: Figures) -> None:
    """Start a server on a new database, put each workload on it, and note the figures."""
    with tempfile.TemporaryDirectory() as home, postgres_database() as database:
        peer = PEERS[name](Path(home), database)
        with peer.start() as server:
            caller = Caller(server.url, server.token)
            for workload in workloads:
                figure = workload.measure(peer, caller)
                figures[workload.name].setdefault(name, []).append(figure)
                print(f"{name:>10} {workload.name} {figure:12.2f} {workload.unit}", file=sys.stderr, flush=True)


def table(figures: Figures, wanted: list[type[Workload]], names: list[str]) -> str:
    """Markdown: a row for each workload, medians of the rounds, and how many times the first server is better."""
    first, others = names[0], names[1:]
    lines = [
        f"{os.cpu_count()} cores, medians of the rounds.",
        "",
        "| | workload | unit | " + " | ".join(PEERS[name].name for name in names) + " | "
        + " | ".join(f"times better than {PEERS[name].name}" for name in others) + " |",
        "|---|---|---|" + "---:|" * (len(names) + len(others)),
    ]  # fmt: skip
    for kind in wanted:
        medians = {name: sorted(figures[kind.name][name])[len(figures[kind.name][name]) // 2] for name in names}
        ratios = [
            medians[first] / medians[name] if kind.more_is_better else medians[name] / medians[first] for name in others
        ]
        cells = [f"{medians[name]:,.2f}" if medians[name] < 100 else f"{medians[name]:,.0f}" for name in names]
        cells += [f"{ratio:.1f}" for ratio in ratios]
        lines.append(f"| {kind.name} | {kind.title} | {kind.unit} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
