"""Fetching a model's files into a folder here. What a server calls them is looked at before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from apps.core.errors import InvalidInput, NotFound, Unavailable
from apps.deployments.serve.resolving import FILE, Found
from apps.deployments.serve.tracker import Tracker

Say = Callable[[str], None]
_AT_ONCE = 8
_TRIES = 3
_MOST_FILES = 100_000
_NO_NAMES = {"", ".", ".."}


@dataclass(frozen=True, slots=True)
class _File:
    """A file below the model's folder; `size` in bytes, as far as the store says."""

    path: str
    size: int


def fetch(found: Found, into: Path, tracker: Tracker, say: Say) -> Path:
    """The folder of the model: where it lies if that is here, else a copy below `into`. Raises `DomainError`."""
    folder = _folder_here(found.files)
    if folder is None:
        folder = into / "model"
        folder.mkdir()
        files = _copied(found.files, folder, tracker)
        size = sum(file.size for file in files)
        say(f"Fetched {len(files)} files, {size / 1_000_000:.1f} MB.")
    if not (folder / FILE).is_file():
        raise InvalidInput(f"There is no model at {found.files}: no {FILE} file is in it.")
    return folder


def _folder_here(address: str) -> Path | None:
    """The folder that an address names on this machine, such as a server without a store of its own gives."""
    parts = urlsplit(address)
    if parts.scheme not in ("", "file"):
        return None
    folder = Path(unquote(parts.path) if parts.scheme else address)
    if not folder.is_dir():
        raise NotFound(f"The server keeps the files in '{folder}', a folder that is not on this machine.")
    return folder


def _copied(address: str, folder: Path, tracker: Tracker) -> list[_File]:
    match urlsplit(address).scheme:
        case "mlflow-artifacts":
            return _from_store(_path_in_store(address, tracker), folder, tracker)
        case "s3":
            return _from_bucket(address, folder)
    raise InvalidInput(
        f"The files lie at {address[:200]}, which can't be read from here. Fetch them with "
        "`mlflow artifacts download`, and serve the folder."
    )


def _path_in_store(address: str, tracker: Tracker) -> str:
    """Its host, where one is named, has to be the server's own: nobody else is shown our credentials."""
    parts = urlsplit(address)
    if parts.netloc and parts.netloc != urlsplit(tracker.uri).netloc:
        raise InvalidInput(f"{address[:200]} is of another server than MLFLOW_TRACKING_URI names, {tracker.uri}.")
    return parts.path.strip("/")


def _from_store(root: str, folder: Path, tracker: Tracker) -> list[_File]:
    files = list(_walked(root, tracker))
    if not files:
        raise NotFound(f"There are no files at mlflow-artifacts:/{root}.")
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        list(threads.map(lambda file: _fetch_one(f"{root}/{file.path}", _place(folder, file.path), tracker), files))
    return files


def _walked(root: str, tracker: Tracker) -> Iterator[_File]:
    folders, count = [""], 0
    while folders:
        below = folders.pop()
        for entry in tracker.list_files("/".join(filter(None, (root, below)))):
            count += 1
            if count > _MOST_FILES:
                raise InvalidInput(f"There are more than {_MOST_FILES} files at mlflow-artifacts:/{root}.")
            path = "/".join(filter(None, (below, _name(entry))))
            if entry.get("is_dir"):
                folders.append(path)
            else:
                yield _File(path, int(entry.get("file_size") or 0))


def _name(entry: dict[str, Any]) -> str:
    name = str(entry.get("path", "")).strip("/").rpartition("/")[2]
    _check(name)
    return name


def _check(name: str) -> None:
    if name in _NO_NAMES or "\\" in name or "\x00" in name:
        raise InvalidInput(f"The server names a file {name[:100]!r}, which is not taken.")


def _place(folder: Path, path: str) -> Path:
    segments = path.split("/")
    for segment in segments:
        _check(segment)
    place = folder.joinpath(*segments)
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def _fetch_one(path: str, place: Path, tracker: Tracker) -> None:
    for tries_left in reversed(range(_TRIES)):
        try:
            with tracker.open_file(path) as pieces, place.open("wb") as file:
                file.writelines(pieces)
            return
        except Unavailable:
            if not tries_left:
                raise


def _from_bucket(address: str, folder: Path) -> list[_File]:
    """With the credentials that this machine has for the bucket."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    parts = urlsplit(address)
    prefix = parts.path.strip("/") + "/"
    try:
        with closing(boto3.client("s3")) as bucket:
            pages = bucket.get_paginator("list_objects_v2").paginate(Bucket=parts.netloc, Prefix=prefix)
            found = [each for page in pages for each in page.get("Contents", []) if not each["Key"].endswith("/")]
            for each in found:
                place = _place(folder, each["Key"].removeprefix(prefix))
                bucket.download_file(parts.netloc, each["Key"], str(place))
    except (BotoCoreError, ClientError) as error:
        raise Unavailable(f"{address[:200]} can't be read from here: {error}") from error
    if not found:
        raise NotFound(f"There are no files at {address[:200]}.")
    return [_File(each["Key"], each["Size"]) for each in found]
