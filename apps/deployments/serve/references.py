"""What somebody types for a model, in one type for each way of naming one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from apps.core.errors import InvalidInput

_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+):(?P<rest>.*)", re.DOTALL)
# As clients from 3.0 on number what they log.
_LOGGED = re.compile(r"m-[0-9a-f]{32}")
_VERSION = re.compile(r"v?(?P<number>\d{1,10})", re.IGNORECASE)
_LATEST = "latest"
FORMS = (
    "models:/NAME/1, models:/NAME@ALIAS, models:/NAME/Production, models:/NAME, models:/NAME/latest, runs:/RUN/model, "
    "mlflow-artifacts:/PATH, s3://BUCKET/PATH or a folder"
)


@dataclass(frozen=True, slots=True)
class Numbered:
    """`models:/name/1`, or `v1`."""

    name: str
    number: str


@dataclass(frozen=True, slots=True)
class Staged:
    """`models:/name/Production`."""

    name: str
    stage: str


@dataclass(frozen=True, slots=True)
class Aliased:
    """`models:/name@champion`."""

    name: str
    alias: str


@dataclass(frozen=True, slots=True)
class Newest:
    """`models:/name/latest`: the version with the highest number."""

    name: str


@dataclass(frozen=True, slots=True)
class Unversioned:
    """`models:/name`: what is in Production, else the latest that is ready."""

    name: str


@dataclass(frozen=True, slots=True)
class Logged:
    """`models:/m-…`: a logged model, by its id."""

    model_id: str


@dataclass(frozen=True, slots=True)
class OfRun:
    """`runs:/run/model`."""

    run_id: str
    path: str


@dataclass(frozen=True, slots=True)
class Stored:
    """An address of files: `mlflow-artifacts:/…` or `s3://…`."""

    address: str


@dataclass(frozen=True, slots=True)
class Local:
    """A folder of this machine."""

    folder: Path


Reference = Numbered | Staged | Aliased | Newest | Unversioned | Logged | OfRun | Stored | Local


def parse_reference(uri: str) -> Reference:
    """What `uri` names; folders are not looked at yet. Raises `InvalidInput` that shows the right spelling."""
    found = _SCHEME.fullmatch(uri)
    if found is None:
        return Local(Path(uri).expanduser())
    scheme, rest = found["scheme"].lower(), found["rest"]
    match scheme:
        case "models":
            return _of_registry(uri, _below(uri, scheme, rest))
        case "runs":
            run_id, _, path = _below(uri, scheme, rest).partition("/")
            return OfRun(run_id, path.strip("/"))
        case "mlflow-artifacts" | "s3":
            return Stored(uri.rstrip("/"))
        case "file":
            return Local(Path(unquote(urlsplit(uri).path)))
    raise InvalidInput(f"'{uri[:200]}' names no model. Write it as one of {FORMS}.")


def _below(uri: str, scheme: str, rest: str) -> str:
    """What follows `scheme:/`. Raises `InvalidInput` with the right spelling where the slash is missing."""
    named = rest.strip("/")
    if not named:
        raise InvalidInput(f"'{uri[:200]}' names nothing. Write it as one of {FORMS}.")
    if not rest.startswith("/"):
        raise InvalidInput(f"'{uri[:200]}' is written with a slash: {scheme}:/{named[:200]}")
    if rest.startswith("//") and not rest.startswith("///"):
        raise InvalidInput(f"'{uri[:200]}' is written with one slash: {scheme}:/{named[:200]}")
    return named


def _of_registry(uri: str, named: str) -> Reference:
    name, slash, suffix = named.partition("/")
    if slash:
        return _suffixed(uri, name, suffix)
    name, at, alias = named.rpartition("@")
    if at:
        if not name or not alias:
            raise InvalidInput(f"'{uri[:200]}' names no {'alias' if name else 'model'}: models:/NAME@ALIAS")
        return Aliased(name, alias)
    return Logged(named) if _LOGGED.fullmatch(named) else Unversioned(named)


def _suffixed(uri: str, name: str, suffix: str) -> Reference:
    if "/" in suffix or not name.strip() or not suffix.strip():
        raise InvalidInput(f"'{uri[:200]}' has one name and one version: models:/NAME/1")
    if number := _VERSION.fullmatch(suffix):
        return Numbered(name, number["number"])
    return Newest(name) if suffix.lower() == _LATEST else Staged(name, suffix)
