"""Reading the `MLmodel` file of a version. It is data of a stranger: nothing of a model is ever imported or unpickled.

The file is YAML, read with limits of size, depth and number; anchors are refused, tags mean nothing, all scalars are
texts. So a file can't grow in memory, name a class, or be slow. What can't be read is a `BrokenMLmodel`, in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import yaml
from botocore.exceptions import BotoCoreError, ClientError

from apps.core.errors import DomainError, InvalidInput, NotFound, Unavailable
from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.folders import ArtifactFolder, folder_at
from apps.registry.models import ModelVersion
from apps.registry.signatures import NOTHING, Signature, parse_signature

FILE = ArtifactPath(("MLmodel",))
MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_NODES = 50_000

# Texts only, and by the C library where it is there.
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class BrokenMLmodel(Exception):
    """There is no such file, or it can't be read; the message is a sentence without a full stop."""


@dataclass(frozen=True, slots=True)
class InputExample:
    """Where an example lies, below the version's folder. `serving` is the same as a body of `/invocations`."""

    path: str
    type: str
    serving: str = ""


@dataclass(frozen=True, slots=True)
class MLmodel:
    """What the file says. All values are texts as they are written; `flavors` maps a flavor to its settings."""

    flavors: Mapping[str, Mapping[str, Any]]
    signature: Signature | None = None
    input_example: InputExample | None = None
    mlflow_version: str = ""
    model_id: str = ""
    model_uuid: str = ""
    run_id: str = ""
    created: str = ""
    size_bytes: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def python_version(self) -> str:
        """Of the Python flavor."""
        return _text(self.flavors.get("python_function", {}).get("python_version"))


def folder_of_version(version: ModelVersion) -> ArtifactFolder:
    """The files of a version; whoever fetched it may read them. Raises `NotFound` for a broken one."""
    if version.is_broken:
        raise NotFound(f"Model version {version.number} names no files of this server.")
    return folder_at(version.folder)


def read_mlmodel(version: ModelVersion) -> MLmodel:
    """The `MLmodel` of a version. Raises `BrokenMLmodel`, and `Unavailable` where the store is away."""
    if version.is_broken:
        raise BrokenMLmodel("The version names no files of this server")
    return parse_mlmodel(_content(folder_at(version.folder)))


def parse_mlmodel(content: bytes) -> MLmodel:
    """What an `MLmodel` file says. Raises `BrokenMLmodel`."""
    if len(content) > MAX_BYTES:
        raise BrokenMLmodel(f"The MLmodel file is larger than {MAX_BYTES // 1024} KB")
    try:
        text = content.decode()
        _check_events(text)
        found = yaml.load(text, Loader=_LOADER)  # noqa: S506 - the base loader makes texts, lists and dicts only
    except UnicodeDecodeError as error:
        raise BrokenMLmodel("The MLmodel file is no UTF-8 text") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise BrokenMLmodel("The MLmodel file is no YAML") from error
    if not isinstance(found, dict):
        raise BrokenMLmodel("The MLmodel file holds no mapping")
    return _model(found)


def has_file(version: ModelVersion, path: ArtifactPath) -> bool:
    """Whether a file of a version is there. Raises `Unavailable` where the store is away."""
    if version.is_broken:
        return False
    with _store_away():
        found = folder_at(version.folder).stat(path)
    return found is not None and not found.is_dir


def read_content(folder: ArtifactFolder, path: ArtifactPath, at_most: int) -> bytes | None:
    """The bytes of a small file, one more than `at_most` where it is larger; None where there is none.

    Raises `Unavailable` where the store is away.
    """
    with _store_away():
        try:
            return folder.head(path, min(folder.file(path).size, at_most + 1))
        except (NotFound, InvalidInput):
            return None


@contextmanager
def _store_away() -> Iterator[None]:
    try:
        yield
    except (OSError, BotoCoreError, ClientError) as error:
        raise Unavailable("The version's files can't be read now") from error


def _content(folder: ArtifactFolder) -> bytes:
    content = read_content(folder, FILE, MAX_BYTES)
    if content is None:
        raise BrokenMLmodel("There is no MLmodel file in the version's folder")
    return content


def _check_events(text: str) -> None:
    """Before anything is built of it: nothing that refers to something else, no great depth, no great number."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or count > MAX_NODES:
            raise BrokenMLmodel("The MLmodel file refers to parts of itself, or holds too much")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise BrokenMLmodel("The MLmodel file is nested too deeply")


def _model(found: Mapping[str, Any]) -> MLmodel:
    flavors = found.get("flavors")
    if not isinstance(flavors, dict) or not all(isinstance(flavor, dict) for flavor in flavors.values()):
        raise BrokenMLmodel("The MLmodel file names no flavors")
    try:
        signature = parse_signature(found.get("signature"))
    except DomainError as error:
        raise BrokenMLmodel(f"The signature in the MLmodel file is broken: {error.message}") from error
    texts = {name: _text(found.get(name)) for name in ("mlflow_version", "model_id", "model_uuid", "run_id")}
    metadata = found.get("metadata")
    return MLmodel(
        flavors=flavors,
        signature=signature,
        input_example=_example(found.get("saved_input_example_info")),
        created=_text(found.get("utc_time_created")),
        size_bytes=_text(found.get("model_size_bytes")),
        metadata=metadata if isinstance(metadata, dict) else {},
        **texts,
    )


def _example(info: object) -> InputExample | None:
    if not isinstance(info, dict) or not _text(info.get("artifact_path")):
        return None
    return InputExample(_text(info["artifact_path"]), _text(info.get("type")), _text(info.get("serving_input_path")))


def _text(value: object) -> str:
    return value[:1000] if isinstance(value, str) and value not in NOTHING else ""
