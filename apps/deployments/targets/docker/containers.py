"""From a spec to a container: what it may, what it is told, and how it is reached."""

from __future__ import annotations

import json
import math
import os
import socket
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker.types import LogConfig, Mount, Ulimit

from apps.deployments.configuration import ScoringServer
from apps.deployments.targets.base import Spec
from apps.deployments.targets.docker.engine import DEPLOYMENT, INSTANCE, SITE
from apps.deployments.targets.image import PORT
from apps.runtime.docker.engine import can_limit, lacking

GRACE_SECONDS = 30
INSIDE = "/run/slipway"
# Nobody on a host; an instance that shares a socket with us, who are not root, is us.
NOBODY = 10001
_MIB = 1024 * 1024
_TMP_MB = 512
_LOOPBACK = "127.0.0.1"
# What reckons in threads takes as many as the machine has, whatever share of it an instance may use.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Way:
    """How an instance is reached: by a socket in a folder that both see, or by a port, where `folder` is None.

    `port` is chosen here where containers share the host's network; 0: the engine chooses.
    """

    folder: Path | None = None
    host: str = _LOOPBACK
    network: str = "none"
    port: int = 0

    @property
    def is_of_host(self) -> bool:
        """Whether a container has no network of its own."""
        return self.network == "host"


def by_port(spec: Spec, network: str) -> Way:
    """On the address that others reach this host by, else on its loopback."""
    host = spec.bind or _LOOPBACK
    return Way(None, host, network, _free_port(host) if network == "host" else 0)


def by_socket(folder: Path, network: str) -> Way:
    """In a folder that is made for it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    return Way(folder, "", network)


def is_own(address: str) -> bool:
    """Whether an address leads to what the instance listens on itself, and to no other socket of this host.

    An instance may put a link in the place of its socket, which who connects would follow. So nothing but a socket is
    connected to, and once there is one, the folder is not the instance's any more.
    """
    scheme, _, path = address.partition(":")
    if scheme != "unix":
        return True
    place = Path(path)
    try:
        if not stat.S_ISSOCK(place.lstat().st_mode):
            return False
        if os.geteuid() == 0 and place.parent.stat().st_uid != 0:
            os.chown(place.parent, 0, 0)
            place.parent.chmod(0o711)
            # It may have been changed just before.
            return stat.S_ISSOCK(place.lstat().st_mode)
    except OSError:
        return False
    return True


def user() -> str:
    """Whom an instance runs as: never root, and able to make a socket that we can connect to."""
    return f"{NOBODY}:{NOBODY}" if os.geteuid() == 0 else f"{os.geteuid()}:{os.getegid()}"


def told(spec: Spec, way: Way) -> dict[str, Any]:
    """What the scoring server is told, as it documents it."""
    config = spec.config
    host = way.host if way.is_of_host else "0.0.0.0"  # noqa: S104 - in its own network
    port = way.port if way.is_of_host else PORT
    return {
        "name": spec.model_name,
        "version": str(spec.version),
        "listen": {"unix": f"{INSIDE}/http"} if way.folder else {"host": host, "port": port},
        "workers": config.workers,
        "timeout_s": config.timeout_s,
        "concurrency": config.concurrency,
        "max_body_bytes": config.max_body_mb * _MIB,
        "batching": {"enabled": None if config.batching else False},
        "grace_s": GRACE_SECONDS,
        "secret": spec.key or None,
        "server": str(config.server),
    }


def variables(spec: Spec, told_it: Mapping[str, Any]) -> dict[str, str]:
    """The environment's variables."""
    threads = str(max(1, math.ceil(spec.config.cpus / spec.config.workers))) if spec.config.cpus else ""
    return {
        **(dict.fromkeys(_THREADS, threads) if threads else {}),
        **spec.config.env_vars,
        "SLIPWAY_CONFIG": json.dumps(told_it),
    }


def options(spec: Spec, way: Way, site: str, info: Mapping[str, Any], processes: int) -> dict[str, Any]:
    """How a container is made: without privileges, on a root that it can't write to, within its limits."""
    memory = spec.config.memory_mb and spec.config.memory_mb * _MIB
    found = {
        "name": name_of(site, spec.instance),
        "command": ["serve"],
        "environment": variables(spec, told(spec, way)),
        "labels": {SITE: site, INSTANCE: str(spec.instance), DEPLOYMENT: f"{spec.deployment}/{spec.revision}"},
        "user": user(),
        "init": True,
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "tmpfs": {"/tmp": f"size={_TMP_MB}m,mode=1777"},  # noqa: S108
        "network_mode": way.network,
        "ports": {f"{PORT}/tcp": (way.host, None)} if way.folder is None and not way.is_of_host else None,
        "mounts": [Mount(INSIDE, str(way.folder), type="bind")] if way.folder else None,
        "mem_limit": memory,
        "memswap_limit": memory if can_limit(info, "swap") else None,
        "nano_cpus": int(min(spec.config.cpus, info.get("NCPU") or spec.config.cpus) * 1e9)
        if spec.config.cpus
        else None,
        "pids_limit": processes if can_limit(info, "processes") else None,
        "ulimits": [Ulimit(name="core", soft=0, hard=0)],
        "log_config": LogConfig(type="json-file", config={"max-size": "8m", "max-file": "2"}),
        # The image's looks at a port.
        "healthcheck": {"test": ["NONE"]},
        "restart_policy": {"Name": "no"},
        "stop_signal": "SIGTERM",
    }
    return {name: value for name, value in found.items() if value is not None}


def unenforced(spec: Spec, way: Way, info: Mapping[str, Any]) -> tuple[str, ...]:
    """What nobody holds it to, in sentences."""
    config = spec.config
    wanted = {"memory": config.memory_mb, "swap": config.memory_mb, "cpus": config.cpus, "processes": 1}
    said = [lacking(name) for name, amount in wanted.items() if amount is not None and not can_limit(info, name)]
    if way.folder is None and not config.network:
        said.append("network: it is reached by a port, so it may reach others itself.")
    if way.folder is None and config.server == ScoringServer.MLFLOW:
        said.append("key: MLflow's server answers whoever reaches its port.")
    return tuple(said)


def name_of(site: str, instance: int) -> str:
    """Of a container: an engine has each name once, so that nothing is started twice."""
    return f"slipway-{site}-{instance}"


def address_of(way_folder: str, ports: Mapping[str, Any], host: str, port: int) -> str:
    """Where a container that runs is reached; empty while its engine has given it no port."""
    if way_folder:
        return f"unix:{way_folder}/http"
    given = (ports or {}).get(f"{PORT}/tcp") or []
    number = port or (int(given[0]["HostPort"]) if given else 0)
    return f"http://[{host}]:{number}" if number and ":" in host else f"http://{host}:{number}" if number else ""


def _free_port(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as taken:
        taken.bind((host, 0))
        port: int = taken.getsockname()[1]
        return port
