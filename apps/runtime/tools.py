"""Programs that preparing calls, git and uv: followed as a run's own command is, so that a cancel ends them too."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from django.conf import settings

from apps.core.errors import InvalidInput, Unavailable
from apps.runtime.base import Execution, Work
from apps.runtime.environments import cant_be_built
from apps.runtime.environments.building import BUILD_SECONDS
from apps.runtime.following import Follower
from apps.runtime.limits import GIT_SECONDS, Limits
from apps.runtime.process import Host, Processes
from apps.runtime.process.sandbox import interpreter_of

_LAST_LINES = 20
_TOOL = PurePosixPath("/run/slipway/tool")
# What tools may know of the worker's own environment: where to ask, whom to trust, and no secrets of the server.
_NAMES = frozenset(
    (
        *("PATH", "HOME", "LANG", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    )
)
Say = Callable[[str], None]
Hold = Callable[[Execution], AbstractContextManager[None]]


class Lines:
    """Takes output as a log does, and tells each line."""

    def __init__(self, say: Say) -> None:
        self.last: list[str] = []
        self._say, self._open = say, b""

    def feed(self, data: bytes) -> None:
        """The next bytes."""
        *lines, self._open = (self._open + data).replace(b"\r", b"\n").split(b"\n")
        self._open = self._open[-4096:]
        for line in lines:
            text = line.decode(errors="replace").rstrip()
            if text:
                self.say(text)

    def store_due(self) -> None:
        """Nothing waits here."""

    def say(self, text: str) -> None:
        """A whole line."""
        self.last = [*self.last[-_LAST_LINES:], text]
        self._say(text)

    def end(self) -> None:
        """No more comes."""
        self.feed(b"\n")


@dataclass(frozen=True, slots=True)
class Tools:
    """Of one attempt. `room` is its folder; `hold` keeps what runs where a cancel finds it."""

    host: Host
    room: Path
    hold: Hold

    def run(self, command: Sequence[str], at: Path, say: Say) -> None:
        """Run a program of the operator's. Raises `InvalidInput` with its last lines where it fails."""
        said = self._ran(self._plain("tool"), command, at, _environment(), BUILD_SECONDS, at, say)
        if said is not None:
            raise cant_be_built(said)

    def git(self, command: Sequence[str], at: Path, variables: Mapping[str, str], into: Path) -> None:
        """Run git, which fills a folder. Raises `InvalidInput` with what it said where it fails."""
        own = _environment() | {name: value for name, value in variables.items() if name.startswith(("GIT_", "LC_"))}
        said = self._ran(self._plain("tool"), command, at, own, GIT_SECONDS, into, lambda _: None)
        if said is not None:
            raise InvalidInput("Git refused: " + " ".join(said)[-500:])

    def build(self, command: Sequence[str], folder: Path, say: Say) -> None:
        """Install packages into an environment: what they bring along is anybody's program, so it is kept apart.

        Each build has a cache of its own: one that is shared could be filled by one for all others.
        """
        room = self.room / "build"
        is_apart = self.host.bwrap is not None
        place = Path(command[0])
        host = replace(self.host, placed={_TOOL: place})
        beside = _prefix_of(place)
        backend = Processes(host, room, (*interpreter_of(folder), *beside), (folder,))
        (room / "work").mkdir(parents=True, exist_ok=True)
        seen = [str(_TOOL) if is_apart and not beside else command[0], *command[1:]]
        own = {name: value for name, value in _environment().items() if name not in ("PATH", "HOME", "SSH_AUTH_SOCK")}
        if is_apart:
            own |= {"UV_CACHE_DIR": str(backend.shown(room / "work" / "cache")), "UV_LINK_MODE": "copy"}
        else:
            own |= {"HOME": os.environ.get("HOME", "/")}
        said = self._ran(backend, seen, room / "work", own, BUILD_SECONDS, room, say)
        # What failed, or was ended, is removed with all of the attempt's room: nobody waits for it here.
        if said is not None:
            raise cant_be_built(said)
        shutil.rmtree(room, ignore_errors=True)

    def _plain(self, name: str) -> Processes:
        room = self.room / name
        room.mkdir(mode=0o700, exist_ok=True)
        return Processes(Host(), room)

    def _ran(
        self,
        backend: Processes,
        command: Sequence[str],
        at: Path,
        variables: Mapping[str, str],
        seconds: int,
        watched: Path,
        say: Say,
    ) -> list[str] | None:
        """None where it went well, else its last lines. Raises `Unavailable` where it took too long or too much."""
        limits = Limits(processes=settings.PROJECT_PROCESSES, disk_mb=settings.PROJECT_DISK_MB)
        execution = backend.start(Work(shlex.join(command), at, variables, limits))
        lines = Lines(say)
        try:
            with self.hold(execution):
                follower = Follower(execution, lines, limits, seconds, watched)
                code = follower.follow()
                lines.end()
                if follower.stopped:
                    raise Unavailable(f"{Path(command[0]).name} was ended: {follower.stopped}")
                return lines.last or ["it gave no reason"] if code else None
        finally:
            execution.close()


def _prefix_of(tool: Path) -> tuple[Path, ...]:
    """Where conda is, its own Python is beside it; uv and micromamba are files that need no other."""
    prefix = tool.resolve().parent.parent
    return (prefix,) if (prefix / "conda-meta").is_dir() else ()


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in _NAMES or name.startswith("UV_")}
