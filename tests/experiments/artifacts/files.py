"""A run, a logged model and calls on their files, for the tests of this folder."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.http.response import HttpResponseBase
from django.test import Client

from apps.experiments import actions
from apps.experiments.models import LoggedModel, Run
from tests.experiments.runs import make_run
from tests.personas import Persona

STORE = "/api/2.0/mlflow-artifacts/artifacts"


def run_root(run_id: str) -> str:
    """The run's folder in the proxied store."""
    return f"{Run.objects.get(run_id=run_id).experiment_id}/{run_id}/artifacts"


def make_model(persona: Persona, run_id: str) -> LoggedModel:
    """A logged model of a run."""
    run = Run.objects.select_related("experiment__team").get(run_id=run_id)
    return actions.create_logged_model(
        persona.actor, experiment=run.experiment, name="m", model_type="", source_run_id=run_id, params=[], tags=[]
    )


def call(persona: Persona, method: str, path: str, data: bytes = b"", **headers: str) -> Any:
    """A call with a raw body; `path` goes out as it is written."""
    extra: dict[str, Any] = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    return Client().generic(
        method, path, data, "application/octet-stream", HTTP_AUTHORIZATION=f"Bearer {persona.token}", **extra
    )


def put(persona: Persona, root: str, path: str, data: bytes) -> Any:
    """Upload a file."""
    return call(persona, "PUT", f"{STORE}/{root}/{quote(path)}", data)


def content(response: HttpResponseBase) -> bytes:
    """The body, streamed or not."""
    return response.getvalue()


__all__ = ["STORE", "call", "content", "make_model", "make_run", "put", "run_root"]
