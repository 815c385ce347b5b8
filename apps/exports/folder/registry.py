"""The registry in a folder: it is written anew each time, and takes the place of the last as a whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from apps.exports.folder import words
from apps.exports.folder.writing import path_of, write_meta, write_pairs
from apps.exports.targets import GoingModel, Owner
from apps.registry.foreign import ForeignModel, ForeignVersion

# Gives the address of files there; empty where they are not.
AddressOf = Callable[[Owner, str], str]
# How a store's folder says that a version is gone, so that its number is not given again.
_DELETED = "Deleted_Internal"


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
