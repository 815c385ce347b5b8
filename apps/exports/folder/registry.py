"""The registry in a folder: model by model, each written whole before what is there of it is touched.

What others put there stays: models and versions, aliases and tags that no export wrote.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from apps.exports.folder import words
from apps.exports.folder.state import State
from apps.exports.folder.writing import META, Unwritable, path_of, put_in_place, write_meta, write_pairs
from apps.exports.targets import GoingModel, Owner
from apps.imports.sources.folder_reading import files_below
from apps.registry.foreign import ForeignModel, ForeignVersion

# Gives the address of files there; empty where they are not.
AddressOf = Callable[[Owner, str], str]
# How a store's folder says that a version is gone, so that its number is not given again.
_DELETED = "Deleted_Internal"
_PAIRS = ("aliases", "tags")


class Registry:
    """The models in a store's folder. `say` is told of what is left out."""

    def __init__(self, folder: Path, state: State, say: Callable[[str], None]) -> None:
        self._folder, self._state, self._say = folder, state, say

    def put(self, going: GoingModel, address_of: AddressOf) -> None:
        """Write a model, and put it in the place of its last. Raises `Unwritable` and `OSError`."""
        name = going.model.name
        place, was = path_of(self._folder, name), self.own(name)
        if place.exists() and not was:
            raise Unwritable("a model of this name is there, and is of no export")
        staged = path_of(self._state.staging / "models", name)
        write_model(self._state.staging / "models", going, address_of, self._say)
        if place.exists():
            self._leave_others(going, staged, place, was)
        # Before they are there: what an export that breaks off here wrote is its own too.
        now = _parts(staged)
        self._keep(name, was | now)
        if not place.exists():
            put_in_place(staged, place)
            return
        for part in sorted(now):
            if "/" not in part:
                put_in_place(staged / part, place / part)
            else:
                (place / part).parent.mkdir(parents=True, exist_ok=True)
                (staged / part).replace(place / part)
        gone = {part for part in was - now if part.startswith(tuple(f"{kind}/" for kind in _PAIRS))}
        for part in gone:
            (place / part).unlink(missing_ok=True)
        (staged / META).replace(place / META)
        shutil.rmtree(staged)
        self._keep(name, (was | now) - gone)

    def own(self, name: str) -> frozenset[str]:
        """What exports wrote of a model, by path: its versions, aliases and tags. Empty where it is of no export."""
        kept = self._state.stamp(_thing(name))
        return frozenset(json.loads(kept)) if kept else frozenset()

    def own_of(self, model: ForeignModel) -> ForeignModel:
        """What was read there, without what others put there."""
        own = self.own(model.name)
        return replace(
            model,
            versions=[each for each in model.versions if f"version-{each.number}" in own],
            aliases={name: number for name, number in model.aliases.items() if f"aliases/{name}" in own},
            tags={key: value for key, value in model.tags.items() if f"tags/{key}" in own},
        )

    def _leave_others(self, going: GoingModel, staged: Path, place: Path, was: frozenset[str]) -> None:
        """Take out of what was written what others have there, and a version that is gone here but stands there."""
        name, numbers = going.model.name, {f"version-{version.number}" for version in going.model.versions}
        for part in _parts(staged):
            if not (place / part).exists() or (part in was and ("/" in part or part in numbers)):
                continue
            if "/" in part or part in numbers:
                self._say(f"registered model '{name}': '{part}' is somebody else's there")
            if (staged / part).is_dir():
                shutil.rmtree(staged / part)
            else:
                (staged / part).unlink()

    def _keep(self, name: str, parts: frozenset[str]) -> None:
        self._state.keep(_thing(name), "models", json.dumps(sorted({META, *parts})))


def _thing(name: str) -> str:
    return f"models:/{name}"


def _parts(folder: Path) -> frozenset[str]:
    pairs = {f"{kind}/{key}" for kind in _PAIRS for key, _ in files_below(folder / kind)}
    return frozenset({each.name for each in folder.glob("version-*")} | pairs)


def write_model(registry: Path, going: GoingModel, address_of: AddressOf, say: Callable[[str], None]) -> None:
    """A model with its versions. Raises `Unwritable` and `OSError`."""
    model = placed(going, address_of)
    folder = path_of(registry, model.name)
    write_meta(folder, words.of_registered_model(model))
    about = f"registered model '{model.name}'"
    write_pairs(folder / "tags", model.tags, partial(_say, say, about))
    aliases = {name: str(number) for name, number in model.aliases.items()}
    write_pairs(folder / "aliases", aliases, lambda line: say(f"{about}: the alias {line}"))
    for version in model.versions:
        place = folder / f"version-{version.number}"
        storage = _storage(going, version, address_of)
        if not storage and version.number in going.files:
            owner, _ = going.files[version.number]
            say(f"version {version.number} of the model '{model.name}': its files are those of {owner}, not exported")
        write_meta(place, words.of_version(model, version, storage))
        write_pairs(place / "tags", version.tags, partial(_say, say, f"{about}, version {version.number}"))
    if model.last_number not in (0, *(version.number for version in model.versions)):
        gone = ForeignVersion(
            model.last_number, "", "", "", "", "READY", "", _DELETED, model.created_ms, model.updated_ms
        )
        write_meta(folder / f"version-{model.last_number}", words.of_version(model, gone, ""))


def _say(say: Callable[[str], None], about: str, line: str) -> None:
    say(f"{about}: the tag {line}")


def placed(going: GoingModel, address_of: AddressOf) -> ForeignModel:
    """The model with sources that lead somewhere: an address of ours is none elsewhere."""
    return replace(going.model, versions=[_placed(going, each, address_of) for each in going.model.versions])


def _placed(going: GoingModel, version: ForeignVersion, address_of: AddressOf) -> ForeignVersion:
    if version.source.startswith(("runs:", "models:")):
        return version
    return replace(version, source=_storage(going, version, address_of) or version.source)


def _storage(going: GoingModel, version: ForeignVersion, address_of: AddressOf) -> str:
    owner, path = going.files.get(version.number, (None, ""))
    return address_of(owner, path) if owner is not None else ""
