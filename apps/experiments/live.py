"""Tells open pages that something of a run changed: the run's own, and those of its experiment (`apps.core.live`)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from django.db import connection

from apps.core.live import Pushes
from apps.experiments.models import Run

Part = Literal["metrics", "params", "tags", "status", "artifacts", "datasets"]

GATHER_SECONDS = 0.3
_MOST_RUNS = 100
_KEPT_EXPERIMENTS = 20_000

_experiments: OrderedDict[str, int] = OrderedDict()


def touch(run_id: str, part: Part) -> None:
    """Say, after commit, that `part` of the run changed."""
    pushes.touch(run_id, part)


def run_group(run_id: str) -> str:
    """The group that pages of the run listen to."""
    return f"run.{run_id}"


def experiment_group(experiment_id: int) -> str:
    """The group that pages of the experiment listen to."""
    return f"experiment.{experiment_id}"


def experiments_of(run_ids: Iterable[str]) -> dict[str, int]:
    """The experiment of each run; one statement for those not met lately."""
    wanted = list(run_ids)
    unknown = [run_id for run_id in wanted if run_id not in _experiments]
    for start in range(0, len(unknown), 500):
        found = Run.objects.filter(run_id__in=unknown[start : start + 500]).values_list("run_id", "experiment_id")
        _experiments.update(found)
    known = {run_id: _experiments[run_id] for run_id in wanted if run_id in _experiments}
    while len(_experiments) > _KEPT_EXPERIMENTS:
        _experiments.popitem(last=False)
    return known


def messages_of(parts_by_run: Mapping[str, set[str]], experiments: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """What is told: each run's pages which parts changed, and each experiment's which of its runs did."""
    messages: dict[str, dict[str, Any]] = {}
    runs_by_experiment: dict[int, list[str]] = {}
    for run_id, parts in parts_by_run.items():
        messages[run_group(run_id)] = {"type": "run.touched", "parts": sorted(parts)}
        if run_id in experiments:
            runs_by_experiment.setdefault(experiments[run_id], []).append(run_id)
    for experiment_id, run_ids in runs_by_experiment.items():
        messages[experiment_group(experiment_id)] = {"type": "runs.touched", "run_ids": run_ids[:_MOST_RUNS]}
    return messages


def _looked_up(parts_by_run: Mapping[str, set[str]]) -> dict[str, dict[str, Any]]:
    """In the thread that pushes, whose connection nobody else gives back."""
    try:
        return messages_of(parts_by_run, experiments_of(parts_by_run))
    finally:
        connection.close()


pushes = Pushes[str]("runs", _looked_up, gather_seconds=GATHER_SECONDS)
