"""Logged models at a server, which came with 3.0."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote

from apps.core.errors import NotFound
from apps.experiments.foreign import ForeignLoggedModel
from apps.experiments.models import LoggedModelStatus
from apps.exports.server.calls import Calls, pairs
from apps.exports.server.words import DONE, SOURCE_MODEL, plain, tags_of

_ENDED = (LoggedModelStatus.READY, LoggedModelStatus.UPLOAD_FAILED)


class LoggedModels:
    """Those of all experiments that were looked at, by their ids here."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._known: dict[str, dict[str, Any]] = {}

    def find(self, number: str) -> None:
        """What an earlier export wrote into an experiment."""
        asked = {"experiment_ids": [number], "max_results": 50}
        try:
            for each in self._calls.pages("POST", "logged-models/search", "models", **asked):
                if old_id := tags_of(each["info"]).get(SOURCE_MODEL):
                    self._known[old_id] = each["info"]
        except NotFound:
            # Before 3.0 there are none.
            return

    def info(self, old_id: str) -> dict[str, Any] | None:
        """What is known of one; None where it is not there."""
        return self._known.get(old_id)

    def new_ids(self) -> dict[str, str]:
        """The ids there, by those here."""
        return {old_id: str(each["model_id"]) for old_id, each in self._known.items()}

    def is_done(self, model: ForeignLoggedModel) -> bool:
        """Whether it is there whole, of which a tag tells that is written last, and as it is here."""
        known = self._known.get(model.model_id)
        return known is not None and tags_of(known).get(DONE) == _stamp(model) and not _differences(model, known)

    def put(self, number: str, model: ForeignLoggedModel, run_id: str) -> None:
        """Make one in an experiment, or mend it. `run_id` is that of its run there. Raises `NotFound` and `Refused`."""
        known = self._known.get(model.model_id) or self._make(number, model, run_id)
        route, model_id = _route(known), str(known["model_id"])
        if model.status in _ENDED and known.get("status") != model.status:
            self._calls.call("PATCH", route, model_id=model_id, status=str(model.status))
        tags = {key: value for key, value in plain(model.tags).items() if tags_of(known).get(key) != value}
        self._calls.call("PATCH", f"{route}/tags", model_id=model_id, tags=pairs({**tags, DONE: _stamp(model)}))

    def verify(self, model: ForeignLoggedModel) -> list[str]:
        """Lines for what is not there as it is here, by what the server says now."""
        known, about = self._known.get(model.model_id), f"logged model {model.model_id}"
        try:
            found = self._calls.call("GET", _route(known))["model"]["info"] if known else None
        except NotFound:
            found = None
        if found is None:
            return [f"{about} is not there"]
        return [f"{about}: {words}" for words in _differences(model, found)]

    def _make(self, number: str, model: ForeignLoggedModel, run_id: str) -> dict[str, Any]:
        asked = {
            "experiment_id": number,
            "name": model.name,
            "params": pairs(model.params),
            "tags": pairs({**plain(model.tags), SOURCE_MODEL: model.model_id}),
            **({"model_type": model.model_type} if model.model_type else {}),
            **({"source_run_id": run_id} if run_id else {}),
        }
        made: dict[str, Any] = self._calls.call("POST", "logged-models", **asked)["model"]["info"]
        self._known[model.model_id] = made
        return made


def _differences(model: ForeignLoggedModel, found: dict[str, Any]) -> list[str]:
    words = [] if found.get("status") == model.status else ["its status differs"]
    ours, theirs = plain(model.tags), tags_of(found)
    return words + ([] if {key: theirs.get(key) for key in ours} == ours else ["the tags differ"])


def _route(known: dict[str, Any]) -> str:
    return f"logged-models/{quote(str(known['model_id']), safe='')}"


def _stamp(model: ForeignLoggedModel) -> str:
    """Another one when anything has changed that a server takes."""
    facts = (str(model.status), sorted(plain(model.tags).items()))
    return hashlib.sha256(repr(facts).encode()).hexdigest()
