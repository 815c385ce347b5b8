"""What a backend takes and gives. It knows no tables: who executes says what, and hears what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from apps.runtime.limits import Limits


@dataclass(frozen=True, slots=True)
class Work:
    """A shell command, and all that it is given.

    `folder` holds the project's files, which are the run's own. `variables` are those that the run was given: where a
    backend needs more, such as PATH, it adds its own. `run_id` and `fence` are the project run's; 0: it has none.
    """

    command: str
    folder: Path
    variables: Mapping[str, str]
    limits: Limits
    # Devices that the worker keeps for it, as it names them.
    gpus: tuple[str, ...] = ()
    run_id: int = 0
    fence: int = 0
    # Where to leave its code once it has ended of itself: what outlives the worker, so that it is not done again.
    receipt: Path | None = None


class Execution(Protocol):
    """A command that was started. `kill` may be called by another thread than the one that reads the output."""

    # As `ProjectRun.isolation` and `.unenforced`: limits that nobody holds it to, in sentences.
    isolation: str
    unenforced: tuple[str, ...]
    # For the tracking run: what it runs in.
    tags: Mapping[str, str]

    def output(self) -> Iterator[bytes]:
        """What it writes, both streams in order, in pieces of any size, until nobody can write any more."""

    def wait(self, seconds: float | None = None) -> int | None:
        """Its exit code, negative for the signal that ended it; None where it still goes on after `seconds`."""

    def note(self) -> str:
        """Why it ended so, where more is known than the code: a limit that it came to; a sentence or empty."""

    def kill(self, grace_seconds: float) -> None:
        """Ask it and all that it started to end, and end them after a grace. Returns when nobody is left."""

    def close(self) -> None:
        """Leave nothing behind, whatever came of it. May be called twice."""


class Backend(Protocol):
    """A place to execute in."""

    def start(self, work: Work) -> Execution:
        """Start it. Raises `DomainError` with a sentence for the run's owner where it can't begin."""
