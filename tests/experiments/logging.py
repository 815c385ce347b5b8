"""Shorthand of the tests that log into runs."""

from __future__ import annotations

from typing import Any

from tests.personas import Persona


def make_experiment(who: Persona, name: str = "iris") -> str:
    """The id of a new experiment."""
    experiment_id: str = who.call("POST", "experiments/create", {"name": name})["experiment_id"]
    return experiment_id


def make_run(who: Persona, experiment_id: str = "0", **more: Any) -> str:
    """The id of a new run."""
    body = {"experiment_id": experiment_id, "start_time": 1_700_000_000_000, **more}
    run_id: str = who.call("POST", "runs/create", body)["run"]["info"]["run_id"]
    return run_id


def get_run(who: Persona, run_id: str) -> dict[str, Any]:
    """The run as the protocol shows it."""
    run: dict[str, Any] = who.call("GET", "runs/get", {"run_id": run_id})["run"]
    return run


def metric(key: str = "loss", value: Any = 1.0, timestamp: int = 1, step: int = 0, **more: Any) -> dict[str, Any]:
    """A metric as clients write it."""
    return {"key": key, "value": value, "timestamp": timestamp, "step": step, **more}


def history_of(who: Persona, run_id: str, key: str = "loss", **more: Any) -> Any:
    """The answer of `metrics/get-history`."""
    return who.call("GET", "metrics/get-history", {"run_id": run_id, "metric_key": key, **more})
