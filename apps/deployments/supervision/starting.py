"""From a row to an instance that starts: its files, what it runs in, and then itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from django.conf import settings

from apps.core.actor import system_actor
from apps.core.errors import DomainError, Unavailable
from apps.deployments.actions import instances
from apps.deployments.actions.leading import Deposed
from apps.deployments.configuration import Config
from apps.deployments.environments import needs_of_model
from apps.deployments.models import Instance, Revision, ServingHost
from apps.deployments.targets.base import NotPrepared, Spec, Started, Target

_SAID_EVERY = 1.0
# Gives a folder with the files of a revision's version on this host, and keeps it while the block runs.
Fetch = Callable[[Revision], AbstractContextManager[Path]]


class Starter:
    """`keep` tells which instances are wanted still: who prepares for another leaves it."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._wanted: set[int] = set()
        self._busy: set[int] = set()
        self._stopping = False

    def keep(self, wanted: Iterable[int]) -> None:
        """These are to be started, or run already."""
        self._wanted = set(wanted)

    def busy(self) -> set[int]:
        """Those that are being started."""
        with self._lock:
            return set(self._busy)

    @property
    def is_stopped(self) -> bool:
        """Whether nothing is begun any more."""
        return self._stopping

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopping = True

    def start(self, host: ServingHost, row: Instance, target: Target) -> None:
        """Start it, and write how it is found again; or why it can't be. May take as long as an environment takes."""
        with self._marked(row.pk):
            try:
                started = self._started(host, row, target)
            except Deposed:
                raise
            except DomainError as error:
                instances.note_ended(system_actor(), host=host, instance=row, message=error.message)
            else:
                instances.note_started(system_actor(), host=host, instance=row, started=started)

    def _started(self, host: ServingHost, row: Instance, target: Target) -> Started:
        is_cancelled = self._asker(row.pk)
        with self._fetch(row.revision) as model:
            spec = spec_of(row, model)
            try:
                return target.start(spec)
            except NotPrepared:
                target.prepare(spec, _teller(host, row), is_cancelled)
            if is_cancelled():
                raise Unavailable("It was not wanted any more.")
            return target.start(spec)

    def _asker(self, pk: int) -> Callable[[], bool]:
        return lambda: self._stopping or pk not in self._wanted

    @contextmanager
    def _marked(self, pk: int) -> Iterator[None]:
        with self._lock:
            self._busy.add(pk)
        try:
            yield
        finally:
            with self._lock:
                self._busy.discard(pk)


def spec_of(row: Instance, model: Path) -> Spec:
    """What a target is given. Raises `InvalidInput` for a model whose needs can't be read."""
    revision = row.revision
    return Spec(
        instance=row.pk,
        deployment=revision.deployment.name,
        revision=revision.number,
        model_name=revision.model_name,
        version=revision.version_number,
        sha256=revision.sha256,
        model=model,
        needs=needs_of_model(model),
        config=Config.from_json(revision.config),
        key=row.key,
        bind=settings.SERVING_ADDRESS or None,
    )


def _teller(host: ServingHost, row: Instance) -> Callable[[str], None]:
    """Writes a line of what is done for it, one each second at the most: an installer says thousands."""
    told = [float("-inf")]

    def say(line: str) -> None:
        if line.strip() and time.monotonic() - told[0] >= _SAID_EVERY:
            told[0] = time.monotonic()
            instances.note_doing(system_actor(), host=host, instance=row, message=line.strip()[:500])

    return say
