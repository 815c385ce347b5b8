"""From a reference to where the files lie, and under which name they are served."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.core.errors import InvalidInput, NotFound
from apps.deployments.serve.references import (
    Aliased,
    Local,
    Logged,
    Newest,
    Numbered,
    OfRun,
    Reference,
    Staged,
    Stored,
    Unversioned,
)
from apps.deployments.serve.tracker import Tracker

READY = "READY"
_PRODUCTION = "Production"
_STAGES = ("None", "Staging", _PRODUCTION, "Archived")
_PAGE = 200
FILE = "MLmodel"


@dataclass(frozen=True, slots=True)
class Found:
    """`files`: an address (`mlflow-artifacts:/…`, `s3://…`) or the path of a folder here. `said`: what it came to."""

    name: str
    files: str
    said: str
    version: str = ""


def resolve(reference: Reference, tracker: Tracker) -> Found:
    """What a reference names now. Raises `DomainError` in words for whoever typed it."""
    match reference:
        case Local(folder):
            return _of_folder(folder)
        case Stored(address):
            return Found(address.rpartition("/")[2], address, f"The files at {address}.")
        case Logged(model_id):
            return _of_logged(tracker.logged_model(model_id), f"models:/{model_id}")
        case OfRun(run_id, path):
            return _of_run(tracker, run_id, path)
        case _:
            version, why = _version(reference, tracker)
            return _of_version(tracker, version, why)


def _of_folder(folder: Path) -> Found:
    if not folder.exists():
        raise NotFound(f"There is no folder '{folder}' here; a registered model is written models:/{folder.name}")
    if folder.is_file():
        folder = folder.parent if folder.name == FILE else folder
    if not (folder / FILE).is_file():
        raise InvalidInput(f"'{folder}' is no model: there is no {FILE} file in it.")
    place = folder.resolve()
    return Found(place.name or "model", str(place), f"The model in {place}.")


def _version(reference: Reference, tracker: Tracker) -> tuple[dict[str, Any], str]:
    """The version as the protocol shows it, and why it is this one."""
    match reference:
        case Numbered(name, number):
            return tracker.get("model-versions/get", name=name, version=number)["model_version"], ""
        case Aliased(name, alias):
            found = tracker.get("registered-models/alias", name=name, alias=alias)["model_version"]
            return found, f"the alias {alias}"
        case Staged(name, stage):
            return _in_stage(tracker, name, stage)
        case Newest(name):
            return _newest(tracker, name), "the latest"
        case Unversioned(name):
            return _of_no_version(tracker, name)
    raise InvalidInput("This names no registered model.")


def _in_stage(tracker: Tracker, name: str, written: str) -> tuple[dict[str, Any], str]:
    stage = next((each for each in _STAGES if each.lower() == written.lower()), None)
    if stage is None:
        neither = f"'{written[:100]}' is neither a version nor a stage ({', '.join(_STAGES)})"
        raise InvalidInput(f"{neither}; an alias is written models:/{name}@{written[:100]}")
    if found := _latest_in(tracker, name, stage):
        return found, f"in {stage}"
    raise NotFound(f"{name} has no version in {stage}.")


def _latest_in(tracker: Tracker, name: str, stage: str) -> dict[str, Any] | None:
    found = tracker.post("registered-models/get-latest-versions", {"name": name, "stages": [stage]})
    return _highest(found.get("model_versions", []))


def _of_no_version(tracker: Tracker, name: str) -> tuple[dict[str, Any], str]:
    if found := _latest_in(tracker, name, _PRODUCTION):
        return found, f"no version was named, and this one is in {_PRODUCTION}"
    for version in _newest_first(tracker, name):
        if version.get("status", READY) == READY:
            return version, f"no version was named, none is in {_PRODUCTION}, and this is the latest that is ready"
    raise NotFound(f"{name} has no version that is ready.")


def _newest(tracker: Tracker, name: str) -> dict[str, Any]:
    version = next(_newest_first(tracker, name), None)
    if version is None:
        tracker.get("registered-models/get", name=name)
        raise NotFound(f"{name} has no version.")
    return version


def _newest_first(tracker: Tracker, name: str) -> Iterator[dict[str, Any]]:
    """All versions of a model, by number."""
    query = {"filter": f"name = {_quoted(name)}", "max_results": str(_PAGE), "order_by": "version_number DESC"}
    while True:
        page = tracker.get("model-versions/search", **query)
        yield from page.get("model_versions", [])
        if not page.get("next_page_token"):
            return
        query["page_token"] = page["next_page_token"]


def _quoted(text: str) -> str:
    return f'"{text}"' if "'" in text else f"'{text}'"


def _highest(versions: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    return max(versions, key=_number, default=None)


def _number(version: dict[str, Any]) -> int:
    return int(version["version"])


def _of_version(tracker: Tracker, version: dict[str, Any], why: str) -> Found:
    name, number, status = version["name"], str(version["version"]), version.get("status", READY)
    if status != READY:
        said = version.get("status_message") or "it has no files that can be served"
        raise InvalidInput(f"{name} version {number} is {status}: {said}.")
    files = tracker.get("model-versions/get-download-uri", name=name, version=number)["artifact_uri"]
    because = f" ({why})" if why else ""
    said = f"{name} version {number}{because}, stage {version.get('current_stage') or 'None'}."
    if files.startswith("models:/"):
        # A logged model, or a copy of another version.
        return _copied(tracker, files, name, number, said)
    return Found(name, files, said, number)


def _copied(tracker: Tracker, files: str, name: str, number: str, said: str) -> Found:
    from apps.deployments.serve.references import parse_reference

    reference = parse_reference(files)
    if not isinstance(reference, (Logged, Numbered)):
        raise InvalidInput(f"{name} version {number} names '{files[:200]}', which is no place of files.")
    return Found(name, resolve(reference, tracker).files, said, number)


def _of_logged(model: dict[str, Any], written: str) -> Found:
    name = str(model.get("name") or "model")
    return Found(name, str(model["artifact_uri"]), f"The logged model {name} ({written}).")


def _of_run(tracker: Tracker, run_id: str, path: str) -> Found:
    """The files of the run, else the logged model of that name: newer clients keep a run's models beside it."""
    info = tracker.get("runs/get", run_id=run_id)["run"]["info"]
    name = path.rpartition("/")[2] or "model"
    listed = tracker.get("artifacts/list", run_id=run_id, path=path).get("files", [])
    if any(file["path"].rpartition("/")[2] == FILE and not file.get("is_dir") for file in listed):
        root = str(info["artifact_uri"]).rstrip("/")
        return Found(name, f"{root}/{path}".rstrip("/"), f"The model {path!r} of run {run_id}.")
    if (logged := _logged_by(tracker, info, path)) is not None:
        return _of_logged(logged, f"runs:/{run_id}/{path}")
    where = f"at '{path}'" if path else "in its uppermost folder"
    raise NotFound(f"Run {run_id} has no model {where}{_instead(tracker, run_id, info)}.")


def _logged_by(tracker: Tracker, info: dict[str, Any], name: str) -> dict[str, Any] | None:
    """The newest logged model of a name that a run made."""
    return next((each for each in _logged_models(tracker, info) if each.get("name") == name), None)


def _logged_models(tracker: Tracker, info: dict[str, Any]) -> list[dict[str, Any]]:
    """Those that a run made, newest first; none on a server that is older than they are."""
    wanted = {"experiment_ids": [info["experiment_id"]], "filter": f"source_run_id = '{info['run_id']}'"}
    try:
        found = tracker.post("logged-models/search", wanted)
    except (NotFound, InvalidInput):
        return []
    infos = [model["info"] for model in found.get("models", [])]
    made = [info for info in infos if info.get("artifact_uri")]
    return sorted(made, key=lambda each: int(each.get("creation_timestamp_ms") or 0), reverse=True)


def _instead(tracker: Tracker, run_id: str, info: dict[str, Any]) -> str:
    files = tracker.get("artifacts/list", run_id=run_id).get("files", [])
    names = {file["path"] for file in files if file.get("is_dir")}
    names |= {str(model["name"]) for model in _logged_models(tracker, info)}
    shown = ", ".join(f"runs:/{run_id}/{name}" for name in sorted(names)[:5])
    return f"; it may be one of {shown}" if shown else ""
