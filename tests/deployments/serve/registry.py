"""A tracking server of these tests: its answers, and what it was asked, without any network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from apps.core.errors import NotFound, Unavailable
from apps.deployments.serve.tracker import Tracker

URI = "http://slipway.example:5000"
VERSIONS: dict[tuple[str, str], dict[str, Any]] = {
    ("iris", "1"): {"current_stage": "Production", "run_id": "r1"},
    ("iris", "2"): {"current_stage": "None", "run_id": "r1"},
    ("iris", "3"): {"current_stage": "None", "status": "FAILED_REGISTRATION", "status_message": "no files"},
    ("fresh", "1"): {"current_stage": "Archived"},
    ("fresh", "2"): {"current_stage": "None"},
    ("fresh", "3"): {"current_stage": "None", "status": "PENDING_REGISTRATION"},
    ("pending", "1"): {"current_stage": "None", "status": "PENDING_REGISTRATION"},
    ("it's", "1"): {"current_stage": "None"},
}
ALIASES = {("iris", "champion"): "2"}
LOGGED = {"model_id": "m-" + "a" * 32, "name": "beside", "artifact_uri": "mlflow-artifacts:/0/models/m-a/artifacts"}
FOLDERS = {"": ["model/", "notes.txt"], "model": ["model/MLmodel", "model/data/"]}


class FakeTracker(Tracker):
    """`files`: path in the store to content. `broken_off`: how often a file breaks off before it comes whole."""

    def __init__(self, files: Mapping[str, bytes] | None = None, broken_off: int = 0) -> None:
        super().__init__({"MLFLOW_TRACKING_URI": URI})
        self.files, self.broken_off = dict(files or {}), broken_off
        self.asked: list[str] = []

    def list_files(self, path: str) -> list[dict[str, Any]]:
        below = {name[len(path) + 1 :] for name in self.files if name.startswith(f"{path}/")}
        folders = {name.partition("/")[0] for name in below if "/" in name}
        found = [{"path": name, "is_dir": True} for name in sorted(folders)]
        plain = sorted(name for name in below if "/" not in name)
        return found + [
            {"path": name, "is_dir": False, "file_size": len(self.files[f"{path}/{name}"])} for name in plain
        ]

    @contextmanager
    def open_file(self, path: str) -> Iterator[Iterator[bytes]]:
        yield self._content(path)

    def _content(self, path: str) -> Iterator[bytes]:
        yield self.files[path][:1]
        if self.broken_off:
            self.broken_off -= 1
            raise Unavailable("broke off")
        yield self.files[path][1:]

    def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        parts = urlsplit(path)
        route = parts.path.removeprefix("api/2.0/mlflow/")
        given = body if body is not None else {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.asked.append(route)
        answer: dict[str, Any] | None = getattr(self, "_" + route.replace("/", "_").replace("-", "_"))(**given)
        if answer is None:
            raise NotFound(f"nothing at {route}")
        return answer

    def _model_versions_get(self, name: str, version: str) -> dict[str, Any] | None:
        found = _version(name, version)
        return {"model_version": found} if found else None

    def _model_versions_get_download_uri(self, name: str, version: str) -> dict[str, Any]:
        return {"artifact_uri": f"mlflow-artifacts:/{name}/{version}"}

    def _registered_models_alias(self, name: str, alias: str) -> dict[str, Any] | None:
        number = ALIASES.get((name, alias))
        return self._model_versions_get(name, number) if number else None

    def _registered_models_get(self, name: str) -> dict[str, Any] | None:
        return {} if any(key[0] == name for key in VERSIONS) or name == "empty" else None

    def _registered_models_get_latest_versions(self, name: str, stages: list[str]) -> dict[str, Any] | None:
        if self._registered_models_get(name) is None:
            return None
        found = [_version(*key) for key in VERSIONS if key[0] == name]
        return {"model_versions": [each for each in found if each and each["current_stage"] in stages]}

    def _model_versions_search(self, filter: str, page_token: str = "", **more: str) -> dict[str, Any]:
        """One version on each page, so that there are several."""
        name = filter.removeprefix("name = ")[1:-1]
        found = sorted((key for key in VERSIONS if key[0] == name), reverse=True)
        place = int(page_token or 0)
        token = {"next_page_token": str(place + 1)} if place + 1 < len(found) else {}
        return {"model_versions": [_version(*key) for key in found[place : place + 1]]} | token

    def _runs_get(self, run_id: str) -> dict[str, Any] | None:
        info = {"run_id": run_id, "experiment_id": "0", "artifact_uri": f"mlflow-artifacts:/0/{run_id}/artifacts"}
        return {"run": {"info": info}} if run_id == "r1" else None

    def _artifacts_list(self, run_id: str, path: str = "") -> dict[str, Any]:
        names = FOLDERS.get(path, [])
        return {"files": [{"path": name.rstrip("/"), "is_dir": name.endswith("/")} for name in names]}

    def _logged_models_search(self, experiment_ids: list[str], filter: str) -> dict[str, Any]:
        return {"models": [{"info": LOGGED}]} if filter == "source_run_id = 'r1'" else {}

    def logged_model(self, model_id: str) -> dict[str, Any]:
        if model_id != LOGGED["model_id"]:
            raise NotFound("no such logged model")
        return LOGGED


def _version(name: str, number: str) -> dict[str, Any] | None:
    found = VERSIONS.get((name, number))
    return {"name": name, "version": number, "status": "READY", **found} if found is not None else None
