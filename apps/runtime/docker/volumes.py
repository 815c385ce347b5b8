"""Volumes of a `docker_env`, checked against what the operator allows."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePath, PurePosixPath

from docker.types import Mount

from apps.core.errors import InvalidInput
from apps.runtime.docker.rules import Rules

CODE = "/mlflow/projects/code"
_NAMED = re.compile(r"[A-Za-z0-9][\w.-]*")


def mounts_of(volumes: tuple[str, ...], rules: Rules) -> list[Mount]:
    """Mounts for `host:container[:ro]`. Raises `InvalidInput` for what may not be mounted."""
    return [_mount(written, rules) for written in volumes]


def _mount(written: str, rules: Rules) -> Mount:
    source, target, mode = _parts(written)
    if not target.startswith("/") or _overlap(PurePosixPath(target), PurePosixPath(CODE)):
        raise InvalidInput(f"The volume '{written[:200]}' can't lie there: name a folder outside of {CODE}.")
    if not source.startswith("/"):
        return _named(source, target, mode, written, rules)
    place = Path(os.path.realpath(source))
    if not place.exists() or not (place.is_dir() or place.is_file()):
        raise InvalidInput(f"The volume '{written[:200]}' names no file or folder of this host.")
    if any(_overlap(place, Path(os.path.realpath(hidden))) for hidden in rules.hidden):
        raise InvalidInput(f"The volume '{written[:200]}' may not be mounted, whatever the settings say.")
    return Mount(target, str(place), type="bind", read_only=_is_read_only(place, mode, written, rules))


def _parts(written: str) -> tuple[str, str, str]:
    parts = written.split(":")
    source, target, mode = (*parts, "")[:3] if len(parts) in (2, 3) else ("", "", "")
    if not source or not target or mode not in ("", "ro", "rw"):
        raise InvalidInput(f"The volume '{written[:200]}' is not of the form /folder/here:/folder/there[:ro].")
    return source, target, mode


def _named(source: str, target: str, mode: str, written: str, rules: Rules) -> Mount:
    """A volume of the engine's own; it outlives the run, so on workers there is none."""
    if rules.volumes is not None or not _NAMED.fullmatch(source):
        raise InvalidInput(f"The volume '{written[:200]}' has to name a whole path of the host.")
    return Mount(target, source, type="volume", read_only=mode == "ro")


def _is_read_only(place: Path, mode: str, written: str, rules: Rules) -> bool:
    if rules.volumes is None or any(place == folder.path and folder.is_writable for folder in rules.volumes):
        return mode == "ro"
    if not any(place.is_relative_to(folder.path) and not folder.is_writable for folder in rules.volumes):
        known = ", ".join(str(folder.path) for folder in rules.volumes) or "none is allowed"
        raise InvalidInput(
            f"The volume '{written[:200]}' is not below what SLIPWAY_DOCKER_VOLUMES lets projects mount: {known}."
        )
    if mode == "rw":
        raise InvalidInput(f"The volume '{written[:200]}' may only be mounted to read from: end it with ':ro'.")
    return True


def _overlap(one: PurePath, other: PurePath) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)
