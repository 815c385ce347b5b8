"""Runs, logged models and versions, made by calls of the protocol."""

from __future__ import annotations

from typing import Any

from tests.personas import Persona


def experiment_of(persona: Persona, name: str = "iris") -> str:
    """The id of a new experiment."""
    made: str = persona.call("POST", "experiments/create", {"name": name})["experiment_id"]
    return made


def run_of(persona: Persona, experiment: str) -> tuple[str, str]:
    """The id of a new run and the address of its files."""
    info = persona.call("POST", "runs/create", {"experiment_id": experiment})["run"]["info"]
    return info["run_id"], info["artifact_uri"]


def logged_model_of(persona: Persona, experiment: str, **more: Any) -> tuple[str, str]:
    """The id of a new logged model and the address of its files."""
    info = persona.call("POST", "logged-models", {"experiment_id": experiment, "name": "m", **more})["model"]["info"]
    return info["model_id"], info["artifact_uri"]


def model(persona: Persona, name: str = "iris", **more: Any) -> str:
    """The name of a new registered model."""
    persona.call("POST", "registered-models/create", {"name": name, **more})
    return name


def version(persona: Persona, name: str, source: str, **more: Any) -> dict[str, Any]:
    """A new version, as it is answered."""
    answer = persona.call("POST", "model-versions/create", {"name": name, "source": source, **more})
    made: dict[str, Any] = answer["model_version"]
    return made
