"""The Docker engine of this host: whether it is there, what it can limit, and its images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import docker
from docker.errors import APIError, DockerException, ImageNotFound
from docker.models.images import Image
from requests.exceptions import RequestException

from apps.core.errors import InvalidInput, Unavailable

SECONDS = 60
_LIMITS = {
    "memory": "MemoryLimit",
    "swap": "SwapLimit",
    "cpus": "CpuCfsQuota",
    "processes": "PidsLimit",
}
Say = Callable[[str], None]


def connect(seconds: float = SECONDS) -> docker.DockerClient:
    """The engine that `DOCKER_HOST` names, else the one of this host. Raises `Unavailable`."""
    try:
        return docker.from_env(timeout=seconds)
    except (DockerException, RequestException) as error:
        raise Unavailable(
            "The project runs in a Docker image, and no Docker engine answers on this host (DOCKER_HOST, "
            "/var/run/docker.sock)."
        ) from error


def abilities() -> dict[str, Any]:
    """What a worker's page shows: `{"is_there": bool, "version", "storage", "lacks": [sentences]}`."""
    try:
        with answering(), closing(connect(seconds=5)) as engine:
            info = engine.info()
    except (Unavailable, InvalidInput):
        return {"is_there": False}
    return {
        "is_there": True,
        "version": str(info.get("ServerVersion", "")),
        "storage": str(info.get("Driver", "")),
        "lacks": [lacking(name) for name in _LIMITS if not can_limit(info, name)],
    }


def can_limit(info: Mapping[str, Any], name: str) -> bool:
    """Whether the engine's host holds containers to a limit: memory, swap, cpus or processes."""
    return bool(info.get(_LIMITS[name]))


def lacking(name: str) -> str:
    """The sentence for a limit that is not enforced."""
    return f"{name}: the Docker engine's host can't limit it."


@contextmanager
def answering() -> Iterator[None]:
    """What the engine refuses is `InvalidInput` with its words; that it is silent is `Unavailable`."""
    try:
        yield
    except APIError as error:
        said = str(error.explanation or error)[:1000]
        raise InvalidInput(f"The Docker engine refused: {said}") from error
    except (DockerException, RequestException, OSError) as error:
        raise Unavailable(f"The Docker engine does not answer ({type(error).__name__}).") from error


def image_of(engine: docker.DockerClient, name: str, say: Say) -> Image:
    """The image, pulled where it isn't there. Raises `InvalidInput` where there is none.

    `say` hears what is done, and nothing many times a second meanwhile: where it raises, no more is pulled.
    """
    try:
        return engine.images.get(name)
    except ImageNotFound:
        say(f"The image {name} is not here; pulling it.")
    try:
        for said in engine.api.pull(name, stream=True, decode=True):
            _heard(said, name, say)
        return engine.images.get(name)
    except APIError as error:
        raise _unpulled(name, str(error.explanation or error)) from error


def _heard(said: Mapping[str, Any], name: str, say: Say) -> None:
    if "error" in said:
        raise _unpulled(name, str(said["error"]))
    words = " ".join(str(said[key]) for key in ("id", "status") if key in said)
    say("" if said.get("progressDetail") else words)


def _unpulled(name: str, why: str) -> InvalidInput:
    return InvalidInput(f"The image '{name[:200]}' is not on this host and can't be pulled: {why[:500]}")
