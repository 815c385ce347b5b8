"""Downloads what a run's parameters name, inside of the run: `downloading.py URI PLACE [URI PLACE]…`.

A program of its own with the standard library alone. It has the run's token, and reads what that may read.
"""

# ruff: noqa: T201

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

_SERVER = os.environ.get("MLFLOW_TRACKING_URI", "").rstrip("/")
_TOKEN = os.environ.get("MLFLOW_TRACKING_TOKEN", "")
_SECONDS = 60


def main(arguments: list[str]) -> int:
    """0 where all of it is there."""
    for uri, place in zip(arguments[::2], arguments[1::2], strict=True):
        print(f"[slipway] Downloading {uri}", flush=True)
        try:
            download(uri, Path(place))
        except (HTTPError, URLError, OSError, ValueError, KeyError) as error:
            print(f"[slipway] {uri} can't be downloaded: {error}", flush=True)
            return 1
    return 0


def download(uri: str, place: Path) -> None:
    """A file, or a folder with all that is in it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if re.match("https?:", uri):
        _save(Request(uri), place)  # noqa: S310
        return
    artifact = _artifact_of(uri)
    if artifact.startswith("mlflow-artifacts:"):
        path = re.sub("^mlflow-artifacts:(//[^/]*)?/*", "", artifact)
        _tree(lambda at: _listed_in_store(path, at), lambda at: f"{_STORE}/{quote(f'{path}/{at}'.strip('/'))}", place)
        return
    run, _, path = artifact.removeprefix("runs:/").partition("/")
    _tree(lambda at: _listed_of_run(run, path, at), lambda at: _of_run(run, f"{path}/{at}".strip("/")), place)


_STORE = f"{_SERVER}/api/2.0/mlflow-artifacts/artifacts"


def _artifact_of(uri: str) -> str:
    """Where a model lies; others as they are."""
    if uri.startswith("runs:/"):
        return _model_of_run(*uri.removeprefix("runs:/").partition("/")[::2]) or uri
    if not uri.startswith("models:/"):
        return uri
    named = uri.removeprefix("models:/").strip("/")
    if re.fullmatch("m-[^/@]+", named):
        return str(_asked(f"logged-models/{quote(named)}")["model"]["info"]["artifact_uri"])
    name, version = _version_of(named)
    return str(_asked("model-versions/get-download-uri", name=name, version=version)["artifact_uri"])


def _model_of_run(run: str, path: str) -> str:
    """Where a model lies that was logged in a run under this name, beside its files; empty where there is none."""
    first = path.partition("/")[0]
    if not first or first in (name for name, _ in _listed_of_run(run, "", "")):
        return ""
    outputs = _asked("runs/get", run_id=run)["run"].get("outputs", {}).get("model_outputs", [])
    infos = (_asked(f"logged-models/{quote(each['model_id'])}")["model"]["info"] for each in outputs)
    return next((f"{each['artifact_uri']}{path[len(first) :]}" for each in infos if each["name"] == first), "")


def _version_of(named: str) -> tuple[str, str]:
    """`NAME/7`, `NAME@alias`, `NAME/latest`, `NAME/Staging` or `NAME/v7`, as clients of the protocol take them."""
    name, _, which = named.rpartition("/")
    if not name:
        name, at, alias = which.partition("@")
        if not at:
            raise ValueError(f"it names no version; write models:/{name}/1, or @ and an alias")
        return name, str(_asked("registered-models/alias", name=name, alias=alias)["model_version"]["version"])
    if which.isdigit():
        return name, which
    stage = {} if which.lower() == "latest" else {"stages": which}
    found = _asked("registered-models/get-latest-versions", name=name, **stage).get("model_versions", [])
    if not found:
        raise ValueError(f"no version of {name!r} is {which!r}")
    return name, str(max(int(each["version"]) for each in found))


def _tree(listed: Any, address: Any, place: Path, at: str = "") -> None:
    """What is listed below a folder; a file where nothing is."""
    files = listed(at)
    if not files and not at:
        _save(_request(address("")), place)
    for name, is_folder in files:
        if name in ("", ".", "..") or "/" in name or "\\" in name:
            raise ValueError(f"a bad name: {name!r}")
        inner = f"{at}/{name}".strip("/")
        if is_folder:
            _tree(listed, address, place / name, inner)
        else:
            _save(_request(address(inner)), place / name)


def _listed_of_run(run: str, path: str, at: str) -> list[tuple[str, bool]]:
    said = _asked("artifacts/list", run_id=run, path=f"{path}/{at}".strip("/"))
    wanted = f"{path}/{at}".strip("/")
    return [
        (each["path"].rpartition("/")[2], bool(each.get("is_dir")))
        for each in said.get("files", [])
        if each["path"] != wanted
    ]


def _listed_in_store(path: str, at: str) -> list[tuple[str, bool]]:
    query = urlencode({"path": f"{path}/{at}".strip("/")})
    said = _json(f"{_STORE}?{query}")
    return [(each["path"].rpartition("/")[2], bool(each.get("is_dir"))) for each in said.get("files", [])]


def _of_run(run: str, path: str) -> str:
    return f"{_SERVER}/get-artifact?{urlencode({'run_id': run, 'path': path})}"


def _asked(route: str, **values: str) -> dict[str, Any]:
    return _json(f"{_SERVER}/api/2.0/mlflow/{route}?{urlencode(values)}")


def _json(url: str) -> dict[str, Any]:
    try:
        with urlopen(_request(url), timeout=_SECONDS) as answer:  # noqa: S310
            said: dict[str, Any] = json.load(answer)
    except HTTPError as error:
        raise ValueError(_message_of(error)) from error
    return said


def _message_of(error: HTTPError) -> str:
    """What the server says of its refusal, in its own words where it has some."""
    try:
        return str(json.load(error)["message"])
    except (ValueError, KeyError, TypeError, OSError):
        return str(error)


def _request(url: str) -> Request:
    return Request(url, headers={"Authorization": f"Bearer {_TOKEN}"} if _TOKEN else {})  # noqa: S310


def _save(request: Request, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with urlopen(request, timeout=_SECONDS) as answer, place.open("wb") as file:  # noqa: S310
        shutil.copyfileobj(answer, file)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
