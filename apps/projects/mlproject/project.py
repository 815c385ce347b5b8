from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from apps.runtime.environments.kinds import Environment

# What runs a script that is named without a command, by its ending in lower case.
RUNNERS = {".py": "python", ".sh": "bash", ".r": "Rscript"}


class ParameterType(StrEnum):
    """What a value has to be; `PATH` is a file here, made absolute, `URI` is handed on as it is."""

    STRING = "string"
    FLOAT = "float"
    PATH = "path"
    URI = "uri"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A declared parameter; without a default it has to be given."""

    name: str
    type: ParameterType = ParameterType.STRING
    default: str | None = None


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """Something that can be run: a shell command with `{parameter}` where values go."""

    name: str
    command: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Project:
    """What an MLproject file says. `env_vars` maps names to values, or to None: taken from the caller.

    A directory without the file is a project as well, with a name and no entry points.
    """

    name: str = ""
    environment: Environment = field(default_factory=Environment)
    entry_points: Mapping[str, EntryPoint] = field(default_factory=dict)
    env_vars: Mapping[str, str | None] = field(default_factory=dict)
