"""What the operator lets containers of projects have of their host."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

# Whoever reaches one of these is root on the host.
SOCKETS = (Path("/var/run/docker.sock"), Path("/run/docker.sock"), Path("/run/containerd/containerd.sock"))
_PURPOSE = b"slipway.docker.site.v1"


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the host that may be mounted. For reading, folders below it too; for writing only itself.

    Below a folder that containers write to, one could put a link to elsewhere, which the next one would mount.
    """

    path: Path
    is_writable: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """`volumes` and `networks` None: whatever is asked for. `network`: where a container is that asks for none.

    `hidden`: what no volume may hold. `sites`: the names of this installation, the first for what it starts now.
    """

    volumes: tuple[Folder, ...] | None = ()
    networks: tuple[str, ...] | None = ()
    network: str = "bridge"
    hidden: tuple[Path, ...] = SOCKETS
    sites: tuple[str, ...] = ()


# `slipway run` on somebody's own machine: the engine is theirs, as is what they run on it.
CALLERS_OWN = Rules(volumes=None, networks=None)


def rules_of_site() -> Rules:
    """Those of this installation's settings."""
    return Rules(
        volumes=tuple(Folder(path, is_writable) for path, is_writable in settings.DOCKER_VOLUMES),
        networks=tuple(settings.DOCKER_NETWORKS),
        network=settings.DOCKER_NETWORKS[0],
        hidden=(*SOCKETS, settings.DATA.root),
        sites=sites_of((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)),
    )


def sites_of(keys: Sequence[str]) -> tuple[str, ...]:
    """The same on all workers of an installation, and another on each other that shares the engine."""
    return tuple(hmac.new(key.encode(), _PURPOSE, hashlib.sha256).hexdigest()[:16] for key in keys)
