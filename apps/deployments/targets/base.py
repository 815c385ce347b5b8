"""What a target takes and gives: a place where instances run. It knows no tables; who supervises tells it what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from apps.core.errors import Unavailable
from apps.deployments.configuration import Config
from apps.runtime.environments import Needs

Say = Callable[[str], None]


class NotPrepared(Unavailable):
    """What an instance runs in is not here, or not any more."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One instance that is to run, and all that it is given.

    `instance` is the row's number: what outlives a supervisor is found by it. `model` is a folder with the version's
    files, kept as long as an instance uses it. `address`: where others than this host reach it; None: this host alone.
    """

    instance: int
    deployment: str
    revision: int
    model_name: str
    version: int
    sha256: str
    model: Path
    needs: Needs
    config: Config
    key: str = ""
    bind: str | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """What was started: `handle` is how it is found again, by whatever supervisor, in JSON's types."""

    handle: Mapping[str, Any]
    address: str
    isolation: str
    unenforced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Observation:
    """What is there of an instance. `is_ready`: it answers its health check; `is_alive`: something of it still runs.

    `address`: where it is reached, once that is known. `message`: why it ended, where more is known than the code.
    """

    is_alive: bool
    is_ready: bool = False
    address: str = ""
    exit_code: int | None = None
    message: str = ""
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class LogPiece:
    """A part of an instance's log: bytes from `start` to `end` of all that it ever wrote. `text` may lack a beginning
    that is not kept any more: then `start` is greater than what was asked for."""

    start: int
    end: int
    text: str = ""


class Target(Protocol):
    """A place to run instances in. Calls may be slow but never hang; supervisors make them in threads of their own."""

    def lacks(self) -> tuple[str, ...]:
        """Why nothing can be started here, in sentences; empty where it can."""

    def prepare(self, spec: Spec, say: Say, is_cancelled: Callable[[], bool]) -> None:
        """Make here what instances of a revision run in: an environment, an image. It may take minutes; where all is
        there already, milliseconds. `spec.instance` does not matter.

        `say` hears each line of what is done. Raises `DomainError` with the reason where it can't be made, and
        `Unavailable` soon after `is_cancelled` said yes.
        """

    def start(self, spec: Spec) -> Started:
        """Start an instance of a prepared revision and return at once. The same for a number that was started before:
        what it gave then, whether that still runs or not.

        Raises `NotPrepared` where `prepare` has to be called (again), else `DomainError` with a sentence.
        """

    def observe(self, handles: Mapping[int, Mapping[str, Any]]) -> Mapping[int, Observation]:
        """Of each instance, by its row's number, what is there now."""

    def end(self, handle: Mapping[str, Any], grace_s: float) -> None:
        """Ask it to end what it does within a grace, then end it. Returns at once; `observe` says when it is gone."""

    def log(self, handle: Mapping[str, Any], start: int, at_most: int) -> LogPiece:
        """What it wrote from an offset on; a negative one counts from the end."""

    def forget(self, handle: Mapping[str, Any]) -> None:
        """Give back what an instance that has ended left, but its log's end, which the supervisor has taken."""

    def strays(self, known: Iterable[int]) -> list[Mapping[str, Any]]:
        """Handles of instances of ours here whose numbers nobody knows: they are ended."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Where targets keep things on this host: `root` is the supervisor's folder of instances."""

    root: Path
    labels: Mapping[str, str] = field(default_factory=dict)
