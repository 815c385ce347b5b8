"""A Docker engine of the test's own, with Compose: in the host's network to build, in one of its own to run."""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
# Images stay here from one time to the next.
CACHE = Path(os.environ.get("SLIPWAY_COMPOSE_CACHE") or ROOT / ".cache" / "compose")
# The client of Debian's package has BuildKit; another one on PATH may not.
DOCKER = next((found for found in ("/usr/bin/docker", shutil.which("docker")) if found and Path(found).exists()), "")
COMPOSE = Path(sys.executable).parent / "docker-compose"
_PROGRAMS = {"dockerd": "docker.io", "ip": "iproute2", "debootstrap": "debootstrap"}
_CLONE_NEWNET = 0x40000000


def why_there_is_none() -> str:
    """Why no engine with Compose can be started here; empty where one can."""
    if os.geteuid() != 0:
        return "only root can start a Docker engine"
    for program, package in _PROGRAMS.items():
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
            return f"{program} is not on PATH (package {package})"
    if not DOCKER:
        return "docker is not on PATH (package docker.io)"
    if not COMPOSE.exists():
        return "Compose is not in this environment (uv sync --all-groups)"
    return ""


@dataclass
class Engine:
    """A running engine, whose sockets and logs are in `folder`, and whose images are in `data`."""

    folder: Path
    data: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"unix://{self.folder}/sock"

    @property
    def env(self) -> dict[str, str]:
        """What the clients need."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("COMPOSE_", "DOCKER_"))}
        ours = {"DOCKER_HOST": self.address, "DOCKER_CONFIG": str(self.folder), "DOCKER_BUILDKIT": "1"}
        return {**kept, **ours, "PATH": f"{self.folder}/bin:{os.environ['PATH']}"}

    def docker(self, *arguments: str | Path, stdin: bytes | None = None) -> str:
        """What `docker ARGUMENTS` prints."""
        return said([DOCKER, *map(str, arguments)], self.env, stdin=stdin)

    def has(self, image: str) -> bool:
        """Whether an image is there."""
        return bool(self.docker("image", "ls", "--quiet", image))

    def start(self) -> None:
        """Until it answers."""
        for name, program in (("bin/docker", DOCKER), ("cli-plugins/docker-compose", str(COMPOSE))):
            (self.folder / name).parent.mkdir(exist_ok=True)
            (self.folder / name).unlink(missing_ok=True)
            (self.folder / name).symlink_to(program)
        places = ["--data-root", str(self.data), "--exec-root", f"{self.folder}/exec", "-p", f"{self.folder}/pid"]
        alone = ["--bridge=none", "--iptables=false", "--ip6tables=false", "--storage-driver=overlay2"]
        (self.folder / "pid").unlink(missing_ok=True)
        with (self.folder / "log").open("ab") as log:
            command = ["dockerd", *alone, *places, "-H", self.address]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            if subprocess.run([DOCKER, "version"], env=self.env, capture_output=True, check=False).returncode == 0:
                return
            time.sleep(0.2)
        raise AssertionError(f"the Docker engine did not start:\n{self._log()}")

    def end(self) -> None:
        """Containers outlive an engine that ends, so they go first."""
        if self.process is None:
            return
        if self.process.poll() is None:
            for container in self.docker("ps", "--all", "--quiet").split():
                self.docker("rm", "--force", "--volumes", container)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def crash_and_restart(self) -> None:
        """What a host's hard stop leaves: no process of the engine or of a container had time for anything."""
        assert self.process is not None
        containers = self.docker("inspect", "--format", "{{.State.Pid}}", *self.docker("ps", "--quiet").split())
        self.process.kill()
        self.process.wait()
        for pid in [*self._helpers(), *map(int, containers.split())]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(2)
        self.start()

    def _helpers(self) -> Iterator[int]:
        """What the engine started for itself: its sockets are in our folder."""
        for place in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                if str(self.folder).encode() in place.read_bytes() and int(place.parent.name) != os.getpid():
                    yield int(place.parent.name)

    def _log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-3000:]


def said(command: Sequence[str], env: Mapping[str, str], stdin: bytes | None = None, cwd: Path | None = None) -> str:
    """What a command prints; raises with all that it said where it fails."""
    done = subprocess.run(command, env=dict(env), input=stdin, capture_output=True, check=False, cwd=cwd)
    if done.returncode:
        told = (done.stdout + done.stderr).decode(errors="replace")[-6000:]
        raise AssertionError(f"{' '.join(command[:6])} … ended with {done.returncode}:\n{told}")
    return done.stdout.decode(errors="replace").strip()


@contextmanager
def engine(*, apart: bool, data: Path | None = None) -> Iterator[Engine]:
    """An engine, on the images in `CACHE` where no other folder is named; with all that it ran it ends with the block.

    `apart`: in a network namespace of its own. The calling thread, and what it starts, are in there too until then, so
    that ports which are published are on its loopback. There is no way out of it.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    # The path of a socket has to be short.
    with TemporaryDirectory(prefix="slipway-engine-", ignore_cleanup_errors=True) as folder, _network(apart=apart):
        found = Engine(Path(folder), data or CACHE / "docker")
        try:
            found.start()
            yield found
        finally:
            found.end()


@contextmanager
def _network(*, apart: bool) -> Iterator[None]:
    if not apart:
        yield
        return
    name = f"slipway-{secrets.token_hex(3)}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        with Path("/proc/thread-self/ns/net").open() as before, Path("/run/netns", name).open() as ours:
            _enter(ours)
            try:
                yield
            finally:
                _enter(before)
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False)


def _enter(network: IO[str]) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "this network namespace can't be entered")
