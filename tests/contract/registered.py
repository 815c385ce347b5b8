"""Models, versions and what they are made of, by calls to both servers."""

from __future__ import annotations

from typing import Any

from tests.contract.transcript import Transcript


def model(call: Transcript, name: str, **more: Any) -> str:
    call("POST", "registered-models/create", {"name": name, **more})
    return name


def version(call: Transcript, name: str, source: str, **more: Any) -> str:
    answer = call("POST", "model-versions/create", {"name": name, "source": source, **more})
    number: str = answer["model_version"]["version"]
    return number


def run_of(call: Transcript, experiment: str) -> tuple[str, str]:
    """The id of a new run and the address of its files."""
    body = {"experiment_id": call.experiment(experiment), "start_time": 1_700_000_000_000}
    info = call("POST", "runs/create", body)["run"]["info"]
    return info["run_id"], info["artifact_uri"]


def logged_model(call: Transcript, experiment: str) -> tuple[str, str, str]:
    """The ids of a new logged model and of its run, and the address of its files."""
    experiment_id = call.experiment(experiment)
    run_id = call.run(experiment_id)
    body = {"experiment_id": experiment_id, "name": "m", "source_run_id": run_id}
    info = call("POST", "logged-models", body)["model"]["info"]
    return info["model_id"], run_id, info["artifact_uri"]
