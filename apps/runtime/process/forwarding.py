"""A way to the tracking server for a sandbox without network: its loopback, a socket in a file, and back out here."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from apps.core.errors import Unavailable
from apps.runtime.process.child import Child, Wanted

_SCRIPT = Path(__file__).with_name("forwarder.py")
_INSIDE = PurePosixPath("/run/slipway")
# Only root may listen below, and the sandbox has none.
_LEAST_PORT = 1024
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Forward:
    """The one server that can be called. `uri` is what the command calls: the same name, so that TLS still fits."""

    host: str
    port: int
    uri: str

    @property
    def inner_port(self) -> int:
        """Where it is listened to inside."""
        return self.port if self.port >= _LEAST_PORT else self.port + 10_000


def forward_to(uri: str) -> Forward:
    """The way to the server of an address, `http://host:port/path`."""
    parts = urlsplit(uri)
    host = parts.hostname or ""
    port = parts.port or _PORTS.get(parts.scheme, 0)
    inner = Forward(host, port, "").inner_port
    # An address of another host is none of the sandbox's loopback; a name is made one.
    shown = "127.0.0.1" if _is_address(host) else host
    return Forward(host, port, parts._replace(netloc=f"{shown}:{inner}").geturl())


@dataclass(frozen=True, slots=True)
class Bridge:
    """What the sandbox is given for it: files by place, names of hosts, and what is called before the command."""

    placed: Mapping[PurePosixPath, Path]
    hosts: Mapping[str, str]
    before: tuple[str, ...]


@contextmanager
def forwarded(forward: Forward) -> Iterator[Bridge]:
    """Hand on what comes through a socket while the block runs."""
    with TemporaryDirectory(prefix="slipway-") as folder:
        path = Path(folder) / "tracking.sock"
        outer = Child(_outer(forward, path))
        try:
            _wait_for(path, outer)
            yield _bridge(forward, path)
        finally:
            outer.close()


def _outer(forward: Forward, path: Path) -> Wanted:
    argv = (sys.executable, "-I", "-S", str(_SCRIPT), "out", str(path), forward.host, str(forward.port))
    return Wanted(argv, Path("/"), {"PATH": "/usr/bin:/bin"})


def _wait_for(path: Path, outer: Child) -> None:
    """It says one line when it listens."""
    for said in outer.output():
        if said.strip() == b"ready" and path.exists():
            return
    raise Unavailable("The way to the tracking server can't be opened.")


def _bridge(forward: Forward, path: Path) -> Bridge:
    script, way = _INSIDE / "forwarder.py", _INSIDE / "tracking.sock"
    return Bridge(
        placed={script: _SCRIPT, way: path},
        hosts={} if _is_address(forward.host) else {forward.host: "127.0.0.1"},
        before=("python3", "-I", "-S", str(script), "in", str(forward.inner_port), str(way)),
    )


def _is_address(host: str) -> bool:
    return host.replace(".", "").isdigit() or ":" in host
