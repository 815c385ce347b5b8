"""The engine of this host, and the labels by which what is ours is found on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import docker
from docker.errors import DockerException
from requests.exceptions import RequestException

from apps.core.errors import InvalidInput, Unavailable
from apps.runtime.docker.engine import answering

# Not those of projects' runs, which are ended where nobody holds the run.
SITE, INSTANCE, DEPLOYMENT = "slipway.serving.site", "slipway.serving.instance", "slipway.serving.deployment"
CONTENT = "slipway.serving.content"
SECONDS = 60
_LOCAL = "http+docker://"


@contextmanager
def engine_here(seconds: float = SECONDS) -> Iterator[docker.DockerClient]:
    """The engine. What it refuses is `InvalidInput` with its words; that it is silent is `Unavailable`."""
    try:
        engine = docker.from_env(timeout=seconds)
    except (DockerException, RequestException) as error:
        raise Unavailable("No Docker engine answers on this host (DOCKER_HOST, /var/run/docker.sock).") from error
    with closing(engine), answering():
        yield engine


def why_not() -> tuple[str, ...]:
    """Why nothing can be started on it, in sentences."""
    try:
        with engine_here(5) as engine:
            if not engine.api.base_url.startswith(_LOCAL):
                return ("DOCKER_HOST names the engine of another machine; a supervisor starts what runs on its own.",)
            kind = engine.info().get("OSType", "linux")
    except (Unavailable, InvalidInput) as error:
        return (error.message,)
    return () if kind == "linux" else (f"The Docker engine runs containers of {kind}, and models need Linux.",)


def is_remapped(info: Mapping[str, Any]) -> bool:
    """Whether users in containers are others than those outside, so that they share no files."""
    return any("name=userns" in option or "name=rootless" in option for option in info.get("SecurityOptions") or ())
