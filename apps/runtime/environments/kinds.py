"""The ways in which somebody names what a program needs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EnvironmentKind(StrEnum):
    """How the packages of a project are named."""

    NONE = "none"
    PYTHON = "python_env"
    CONDA = "conda_env"
    DOCKER = "docker_env"


@dataclass(frozen=True, slots=True)
class DockerEnvironment:
    """An image, `host:container` volumes, and variables: with a value, or None to take the caller's."""

    image: str
    volumes: tuple[str, ...] = ()
    variables: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Environment:
    """`file` is relative to the project: `python_env.yaml`, `conda.yaml`."""

    kind: EnvironmentKind = EnvironmentKind.NONE
    file: str = ""
    docker: DockerEnvironment | None = None
