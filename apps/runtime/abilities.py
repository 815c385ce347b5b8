"""What this host has for runs, found out once when the worker starts, and what it lacks, in sentences."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from apps.core.errors import InvalidInput, Unavailable
from apps.runtime.environments import uv_here
from apps.runtime.environments.needs import conda_here
from apps.runtime.process import Host, Level, forward_to, unenforced
from apps.runtime.process.cgroups import find_cgroups
from apps.runtime.process.closing import Closed, closed

_PROBE_SECONDS = 10
_POSTGRESQL, _REDIS = 5432, 6379
_BWRAP = ("--unshare-user", "--uid", "1000", "--unshare-pid", "--unshare-net", "--ro-bind", "/", "/", "--proc", "/proc")
# So that nobody inside makes a namespace in which they are root; older ones don't know it.
_HARDER = ("--disable-userns",)
_OPEN = "ports: those of the database and broker ({}) are not closed to runs; that takes Linux 6.7 or later."
_NETWORK = (
    "network: what may use the network reaches what this host reaches: its own loopback, the local network, and a "
    "cloud's metadata address. Give it none where it needs none, or close them by a firewall."
)


@cache
def host() -> Host:
    """What commands are started with here."""
    named = settings.PROJECT_CGROUP
    cgroups = find_cgroups(Path(named) if named else None)
    bwrap, options, _ = (None, (), "") if settings.PROJECT_ISOLATION == "process" else sandbox_here()
    # A bwrap that gets its rights from its file's owner couldn't start any more.
    is_plain = bwrap is None or not bwrap.stat().st_mode & stat.S_ISUID
    ports = closed(_ports()) if is_plain else Closed(_ports())
    return Host(bwrap, options, cgroups, (*settings.SANDBOX_READABLE, *_indexes()), closed=ports)


@cache
def sandbox_here() -> tuple[Path | None, tuple[str, ...], str]:
    """The bwrap that works here, with the options it knows; or why none does."""
    found = shutil.which("bwrap", path=os.environ.get("PATH", os.defpath) + ":/usr/bin:/usr/local/bin")
    if found is None:
        return None, (), "bwrap is not installed (package bubblewrap)."
    said = ""
    for options in (_HARDER, ()):
        said = _refusal([found, *_BWRAP, *options, "true"])
        if not said:
            return Path(found), options, ""
    return None, (), f"bwrap can't make a sandbox here: {said}"


def require_isolation() -> None:
    """Raise `Unavailable` where the operator wants sandboxes and this host has none."""
    if settings.PROJECT_ISOLATION == "sandboxed" and host().bwrap is None:
        raise Unavailable(f"SLIPWAY_ISOLATION wants a sandbox, and this worker has none: {sandbox_here()[2]}")


def abilities() -> dict[str, Any]:
    """For the worker's page: `isolation`, `isolation_note`, `lacks`, `gpus`, `uv`, `conda`, `docker`, `cgroups`,
    `closed_ports`.
    """
    here = host()
    _, _, why = sandbox_here()
    wanted = settings.PROJECT_ISOLATION
    if wanted == "process":
        why = "SLIPWAY_ISOLATION says so."
    refused = wanted == "sandboxed" and here.bwrap is None
    level = Level.SANDBOXED if here.bwrap else Level.PROCESS
    return {
        "isolation": "none: runs are refused" if refused else str(level),
        "isolation_note": "" if here.bwrap else why,
        "lacks": [*(said for _, said in unenforced(here)), *_of_network(here)],
        "closed_ports": list(here.closed.ports) if here.closed.descriptor is not None else [],
        "cgroups": {"version": here.cgroups.version, "controllers": sorted(here.cgroups.can_limit)},
        "gpus": list(gpus()),
        "uv": _uv(),
        "conda": Path(conda_here() or "").name,
        "docker": _docker(),
    }


@cache
def gpus() -> tuple[str, ...]:
    """The devices of this host, as `CUDA_VISIBLE_DEVICES` names them."""
    if settings.WORKER_GPUS:
        return () if settings.WORKER_GPUS == ["none"] else tuple(settings.WORKER_GPUS)
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    try:
        said = subprocess.run(
            [tool, "--query-gpu=index", "--format=csv,noheader"],
            capture_output=True,
            timeout=_PROBE_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(line.strip() for line in said.stdout.decode(errors="replace").splitlines() if line.strip().isdigit())


def _of_network(here: Host) -> Iterator[str]:
    yield _NETWORK
    if here.closed.ports and here.closed.descriptor is None:
        yield _OPEN.format(", ".join(map(str, here.closed.ports)))


def _ports() -> tuple[int, ...]:
    """Where this server reaches its database and its broker over TCP."""
    found = set()
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("postgresql") and not str(database.get("HOST") or "").startswith("/"):
        found.add(int(database.get("PORT") or _POSTGRESQL))
    broker = urlsplit(settings.REDIS_URL)
    if broker.scheme in ("redis", "rediss"):
        found.add(broker.port or _REDIS)
    # Who shares a port with the server that runs log to can't be closed out.
    return tuple(sorted(found - {forward_to(settings.TRACKING_URL).port}))


def _refusal(command: list[str]) -> str:
    """Empty where it works, else what it said."""
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=_PROBE_SECONDS, env={"PATH": os.defpath}, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return (
        done.stderr.decode(errors="replace").strip()[-300:] or f"it ended with {done.returncode}"
        if done.returncode
        else ""
    )


def _indexes() -> tuple[Path, ...]:
    """Folders in which uv is told to look for packages: a sandboxed build has to see them."""
    said = [value for name, value in os.environ.items() if name.startswith("UV_")]
    for place in (Path("/etc/uv/uv.toml"), Path("~/.config/uv/uv.toml").expanduser()):
        if place.is_file():
            said.append(place.read_text(errors="replace"))
    found = {Path(path) for text in said for path in re.findall(r"file://(/[^\s\"']+)", text)}
    return tuple(sorted(path for path in found if path.is_dir()))


def _uv() -> str:
    try:
        return str(uv_here())
    except InvalidInput:
        return ""


def _docker() -> dict[str, Any]:
    if "DOCKER_HOST" not in os.environ and not Path("/var/run/docker.sock").exists():
        return {"is_there": False}
    # Imported here: the SDK takes a while, and most hosts have no engine.
    from apps.runtime.docker import abilities as of_docker

    return of_docker()
