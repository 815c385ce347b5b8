"""Arguments for `docker run` that a caller may give (`-A name=value`). What is not known to be harmless is refused."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from docker.errors import DockerException
from docker.utils import parse_bytes

from apps.core.errors import InvalidInput
from apps.runtime.docker.rules import Rules

_SHORT = {"m": "memory", "u": "user", "net": "network"}
# What we do anyway, and what has no meaning without a terminal.
_IGNORED = frozenset({"rm", "init", "i", "interactive", "t", "tty"})
_KNOWN = ("cpus", "gpus", "memory", "network", "pids-limit", "shm-size", "user")
_GPUS = re.compile(r"all|\d{1,2}|\"?device=[\w,-]{1,500}\"?")
_USER = re.compile(r"\w[\w.-]{0,63}(?::\w[\w.-]{0,63})?")


@dataclass(frozen=True, slots=True)
class Arguments:
    """Bytes and cores; None or empty: not said."""

    cpus: float | None = None
    gpus: str = ""
    memory: int | None = None
    network: str = ""
    processes: int | None = None
    shm_size: int | None = None
    user: str = ""


def arguments_of(given: Mapping[str, str], rules: Rules) -> Arguments:
    """What was given. Raises `InvalidInput` that names the argument and says what is taken."""
    named = {_SHORT.get(name.lstrip("-"), name.lstrip("-")): str(value) for name, value in given.items()}
    for name in named:
        if name not in _KNOWN and name not in _IGNORED:
            raise InvalidInput(f"The argument '{name[:100]}' for Docker is not taken; these are: {', '.join(_KNOWN)}.")
    return Arguments(
        cpus=_number(named, "cpus"),
        gpus=_matching(named, "gpus", _GPUS).strip('"'),
        memory=_bytes(named, "memory"),
        network=_network(named, rules),
        processes=int(_number(named, "pids-limit") or 0) or None,
        shm_size=_bytes(named, "shm-size"),
        user=_matching(named, "user", _USER),
    )


def _number(given: Mapping[str, str], name: str) -> float | None:
    if name not in given:
        return None
    try:
        value = float(given[name])
    except ValueError:
        value = math.nan
    if not 0 < value < 2**31:
        raise InvalidInput(f"The argument {name} for Docker has to be a number above 0, not '{given[name][:100]}'.")
    return value


def _bytes(given: Mapping[str, str], name: str) -> int | None:
    if name not in given:
        return None
    try:
        amount = int(parse_bytes(given[name]))
    except (DockerException, ValueError):
        amount = 0
    if amount <= 0:
        raise InvalidInput(f"The argument {name} for Docker has to be like 512m, not '{given[name][:100]}'.")
    return amount


def _matching(given: Mapping[str, str], name: str, shape: re.Pattern[str]) -> str:
    value = given.get(name, "")
    if value and not shape.fullmatch(value):
        raise InvalidInput(f"The argument {name} for Docker can't be '{value[:100]}'.")
    return value


def _network(given: Mapping[str, str], rules: Rules) -> str:
    wanted = given.get("network", "")
    if wanted and wanted != "none" and rules.networks is not None and wanted not in rules.networks:
        known = ", ".join(("none", *rules.networks))
        raise InvalidInput(f"A container may not be in the network '{wanted[:100]}' here; it may be in: {known}.")
    return wanted
