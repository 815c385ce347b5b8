"""Logged models at a server, which came with 3.0."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from apps.experiments.foreign import ForeignLoggedModel
from apps.experiments.models import LoggedModelStatus
from apps.exports.server.calls import Calls, pairs
from apps.exports.server.words import SOURCE_MODEL, plain

_ENDED = (LoggedModelStatus.READY, LoggedModelStatus.UPLOAD_FAILED)


def put_logged_model(calls: Calls, number: str, model: ForeignLoggedModel, run_id: str) -> dict[str, Any]:
    """Make one in an experiment; what the server says of it. `run_id` is that of its run there. Raises `NotFound`."""
    asked = {
        "experiment_id": number,
        "name": model.name,
        "params": pairs(model.params),
        "tags": pairs({**plain(model.tags), SOURCE_MODEL: model.model_id}),
        **({"model_type": model.model_type} if model.model_type else {}),
        **({"source_run_id": run_id} if run_id else {}),
    }
    made: dict[str, Any] = calls.call("POST", "logged-models", **asked)["model"]["info"]
    if model.status in _ENDED:
        model_id = str(made["model_id"])
        calls.call("PATCH", f"logged-models/{quote(model_id, safe='')}", model_id=model_id, status=str(model.status))
    return made
