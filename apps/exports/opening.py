from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from apps.core.errors import InvalidInput
from apps.exports.folder.target import FolderTarget
from apps.exports.targets import BadTarget, Target
from apps.imports.tally import Tally


@dataclass(frozen=True, slots=True)
class Place:
    """What somebody typed: a folder, or the address of a server."""

    text: str
    address: str = ""
    workspace: str = ""


def open_target(place: Place, tally: Tally) -> Target:
    """Raises `InvalidInput` and `BadTarget` for what can't be one."""
    if place.text.startswith(("http://", "https://")):
        if place.address:
            raise InvalidInput("--address is for folders: a server knows its own.")
        from apps.exports.server.target import ServerTarget

        return ServerTarget(place.text, os.environ, tally, workspace=place.workspace)
    if "://" in place.text and not place.text.startswith("file://"):
        raise BadTarget(
            f"'{place.text.partition(':')[0]}' is no kind of target: name a folder, or a server by http://."
        )
    if place.workspace:
        raise InvalidInput("--workspace is for servers.")
    return FolderTarget(Path(place.text.removeprefix("file://")).expanduser().resolve(), tally, address=place.address)
