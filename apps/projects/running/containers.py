"""Running an entry point in a container of the caller's own Docker engine."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from apps.core.errors import InvalidInput
from apps.projects.running.tracking import Tracking
from apps.runtime.base import Execution, Work
from apps.runtime.environments.kinds import DockerEnvironment
from apps.runtime.limits import Limits

if TYPE_CHECKING:
    from apps.runtime.docker import Docker

CODE = "/mlflow/projects/code"
# How long a child may take to end after it was asked to.
GRACE_SECONDS = 8
# What of the caller's a script needs to log to the same server.
_TRACKING = (
    "MLFLOW_TRACKING_TOKEN",
    "MLFLOW_TRACKING_USERNAME",
    "MLFLOW_TRACKING_PASSWORD",
    "MLFLOW_TRACKING_INSECURE_TLS",
    "MLFLOW_WORKSPACE",
)


@dataclass(frozen=True, slots=True)
class Container:
    """An image, and arguments for `docker run`."""

    image: DockerEnvironment
    arguments: Mapping[str, str]
    say: Callable[[str], None]

    def check(self) -> None:
        """Raises `DomainError` for what can't begin: no engine, a wrong argument, a variable that is not set."""
        from apps.runtime.docker import variables_of

        variables_of(self.image, os.environ)
        self._backend().require()

    def run(self, command: str, folder: Path, declared: Mapping[str, str], tracking: Tracking, run_id: str) -> int:
        """The exit code. Ctrl-C and SIGTERM end the container; then `KeyboardInterrupt` is raised."""
        from apps.runtime.docker import variables_of

        known = {name: os.environ[name] for name in _TRACKING if name in os.environ}
        variables = {**variables_of(self.image, os.environ), **known, **declared, "PYTHONUNBUFFERED": "1"}
        with _interrupted_by_term():
            running = self._backend().start(Work(command, folder, variables, Limits()))
            try:
                tracking.set_tags(run_id, running.tags)
                return self._followed(running)
            finally:
                running.close()

    def _backend(self) -> Docker:
        # Imported here: most projects need no container, and the SDK takes a while.
        from apps.runtime.docker import CALLERS_OWN, Docker

        return Docker(self.image, self.arguments, CALLERS_OWN, self.say)

    def _followed(self, running: Execution) -> int:
        try:
            for piece in running.output():
                sys.stdout.buffer.write(piece)
                sys.stdout.buffer.flush()
            code = running.wait()
        except KeyboardInterrupt:
            running.kill(GRACE_SECONDS)
            raise
        if note := running.note():
            self.say(note)
        if code is None:
            raise InvalidInput("The container did not end.")
        return code


@contextmanager
def _interrupted_by_term() -> Iterator[None]:
    """SIGTERM as Ctrl-C: what was begun is put away."""

    def interrupt(number: int, _: FrameType | None) -> None:
        raise KeyboardInterrupt(number)

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
