"""The registry in a folder: a folder for each model, and in it one for each version."""

from __future__ import annotations

import re
from pathlib import Path

from apps.imports.sources.cells import text_of
from apps.imports.sources.folder_reading import BrokenFile, files_below, folders_in, meta_of, pairs_below
from apps.imports.sources.sql_registry import DELETED
from apps.imports.sources.version_words import version_of
from apps.registry.foreign import ForeignModel

_VERSION = re.compile(r"version-(\d{1,9})")


def count_registry(folder: Path) -> dict[str, int]:
    """How many registered models and versions."""
    models = folders_in(folder)
    return {
        "registered models": len(models),
        "model versions": sum(not _is_deleted(each) for model in models for _, each in _folders_of_versions(model)),
    }


def read_models(folder: Path, problems: list[str]) -> list[ForeignModel]:
    """All models. What is broken is left out, and a line of `problems`."""
    found = []
    for each in folders_in(folder):
        try:
            found.append(_model(each, problems))
        except (KeyError, ValueError, TypeError) as error:
            problems.append(f"registered model '{each.name}': {_words(error)}")
    return found


def _model(folder: Path, problems: list[str]) -> ForeignModel:
    meta = meta_of(folder)
    versions, numbers = [], [0]
    for number, each in _folders_of_versions(folder):
        numbers.append(number)
        try:
            inner = meta_of(each)
            if inner.get("current_stage") != DELETED:
                versions.append(version_of(number, inner, pairs_below(each / "tags")))
        except (KeyError, ValueError, TypeError) as error:
            problems.append(f"version {number} of the model '{folder.name}': {_words(error)}")
    return ForeignModel(
        name=text_of(meta["name"]),
        description=text_of(meta.get("description")),
        created_ms=int(meta.get("creation_timestamp") or 0),
        updated_ms=int(meta.get("last_updated_timestamp") or meta.get("creation_timestamp") or 0),
        last_number=max(numbers),
        tags=pairs_below(folder / "tags"),
        aliases=_aliases(folder),
        versions=versions,
    )


def _aliases(folder: Path) -> dict[str, int]:
    found = {}
    for name, path in files_below(folder / "aliases"):
        number = path.read_text(errors="replace").strip()
        if number.isdecimal():
            found[text_of(name)] = int(number)
    return found


def _folders_of_versions(folder: Path) -> list[tuple[int, Path]]:
    named = ((_VERSION.fullmatch(each.name), each) for each in folders_in(folder))
    return sorted((int(match[1]), each) for match, each in named if match)


def _is_deleted(folder: Path) -> bool:
    try:
        return bool(meta_of(folder).get("current_stage") == DELETED)
    except BrokenFile:
        return False


def _words(error: Exception) -> str:
    return (
        f"its file lacks {error}" if isinstance(error, KeyError) and not isinstance(error, BrokenFile) else str(error)
    )
