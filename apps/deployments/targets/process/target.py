"""The target: starts instances under keepers, and finds them again, whoever started them."""

from __future__ import annotations

import codecs
import hashlib
import json
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.core.errors import DomainError, InvalidInput, Unavailable
from apps.deployments.configuration import ScoringServer
from apps.deployments.files import held_open
from apps.deployments.targets.base import LogPiece, NotPrepared, Observation, Say, Spec, Started
from apps.deployments.targets.process.commanding import GRACE_SECONDS, MARK, WHO, Command, command_of, limits_of
from apps.deployments.targets.process.health import healthy
from apps.deployments.targets.process.memory import memory_of
from apps.deployments.targets.process.places import Place, places_below
from apps.deployments.targets.process.preparing import prepare
from apps.deployments.targets.process.words import words_of
from apps.runtime.environments import Cache, uv_here
from apps.runtime.process import Host, Processes
from apps.runtime.process.keeping import (
    Born,
    Ended,
    Kept,
    born_in,
    end,
    ended_in,
    heartbeat,
    is_kept,
    locked,
    start,
    sweep,
)
from apps.runtime.process.logbook import read_log

_TAIL = 16 * 1024
_MEMORY_SECONDS = 10.0
# A folder without a row may be one whose row is being committed.
_YOUNG_SECONDS = 60


@dataclass(frozen=True, slots=True)
class ProcessTarget:
    """Processes of this host, below `root`. `environments` is the folder of the cache of environments.

    Whoever supervises calls `observe` or `beat` now and then: when nobody does for `beat_seconds`, all instances end.
    """

    root: Path
    host: Host
    environments: Path
    beat_seconds: float = 600.0
    _memory: dict[str, tuple[float, Mapping[int, int]]] = field(default_factory=dict, compare=False, repr=False)

    def lacks(self) -> tuple[str, ...]:
        """Why nothing can be started here, in sentences; empty where it can."""
        return tuple(_lacks(self.host))

    def prepare(self, spec: Spec, say: Say, is_cancelled: Callable[[], bool]) -> None:
        """Build the environment where it isn't there. Raises `DomainError` with the builder's last lines."""
        prepare(spec.needs, self.host, self.environments, self.root / "preparing", say, is_cancelled)

    def start(self, spec: Spec) -> Started:
        """Start an instance, or find the one of that number."""
        self.beat()
        for said in self.lacks():
            raise Unavailable(said)
        place = Place(self.root, spec.instance)
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(place.starting), ExitStack() as stack:
            _clear_other(place, spec)
            place.make()
            born = born_in(place.folder) or self._born_now(spec, place, stack)
        processes = Processes(self.host, place.room)
        handle = {"instance": spec.instance, "pid": born.pid, "start": born.start}
        if spec.config.memory_mb is not None:
            handle["memory_mb"] = spec.config.memory_mb
        return Started(handle, born.address, str(processes.level), processes.unenforced(limits_of(spec), WHO))

    def _born_now(self, spec: Spec, place: Place, stack: ExitStack) -> Born:
        try:
            return self._born(spec, place, stack)
        except BaseException:
            # One whose starter was killed a moment ago may be born meanwhile. What could not begin is no instance.
            if (born := _living(place)) is not None:
                return born
            if not is_kept(place.folder):
                shutil.rmtree(place.folder, ignore_errors=True)
            raise

    def _born(self, spec: Spec, place: Place, stack: ExitStack) -> Born:
        if spec.key and spec.config.server == ScoringServer.MLFLOW:
            raise InvalidInput("MLflow's server can't tell its callers apart: with several hosts, take Slipway's own.")
        taken = Cache(self.environments).taken(spec.needs)
        if taken is None:
            raise NotPrepared("The environment is not ready on this host.")
        ready, lock = taken
        stack.callback(lock.close)
        model = stack.enter_context(held_open(spec.model))
        place.whose.write_text(_digest_of(spec))
        with ExitStack() as failing:
            mark = secrets.token_hex(16)
            command = command_of(spec, place, ready, self.host, mark, failing)
            born = start(self._kept(spec, place, command, (lock.fileno(), model), f"{MARK}={mark}"))
            # It runs: what it needs is given back by its keeper.
            failing.pop_all()
        return born

    def _kept(self, spec: Spec, place: Place, command: Command, held: tuple[int, ...], mark: str) -> Kept:
        return Kept(
            command=command.wanted,
            room=place.folder,
            control=place.control,
            listen=(spec.bind, 0) if spec.bind else place.http,
            heartbeat=self._heartbeat,
            beat_seconds=self.beat_seconds,
            grace=GRACE_SECONDS,
            held=held,
            disk=settings.PROJECT_DISK_MB * 1024**2,
            mark=mark,
        )

    def observe(self, handles: Mapping[int, Mapping[str, Any]]) -> Mapping[int, Observation]:
        """Of each, what is there. Whoever asks looks after them."""
        self.beat()
        places = {number: self._place(handle) for number, handle in handles.items()}
        alive = {number: born for number, place in places.items() if (born := _living(place))}
        ready = healthy({number: born.address for number, born in alive.items()})
        memory = self._memory_of(alive)
        return {
            number: Observation(True, number in ready, alive[number].address, memory_bytes=memory.get(number))
            if number in alive
            else _of_ended(place, handles[number].get("memory_mb"))
            for number, place in places.items()
        }

    def _memory_of(self, alive: Mapping[int, Born]) -> Mapping[int, int]:
        """Looked at now and then: it takes longer than all the rest."""
        at, known = self._memory.get("last", (0.0, {}))
        if time.monotonic() - at > _MEMORY_SECONDS or alive.keys() - known.keys():
            known = memory_of({number: born.pid for number, born in alive.items()})
            self._memory["last"] = (time.monotonic(), known)
        return known

    def end(self, handle: Mapping[str, Any], grace_s: float) -> None:
        """Have its keeper end it, and all that it started."""
        place = self._place(handle)
        end(place.folder, place.control, grace_s)

    def log(self, handle: Mapping[str, Any], start: int, at_most: int) -> LogPiece:
        """What it wrote from a place on. A character that is not written whole yet is left for later."""
        begin, data = read_log(self._place(handle).folder, start, at_most)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        text = decoder.decode(data)
        return LogPiece(begin, begin + len(data) - len(decoder.getstate()[0]), text)

    def forget(self, handle: Mapping[str, Any]) -> None:
        """Remove the folder of one that has ended."""
        place = self._place(handle)
        if not place.folder.exists() or sweep(place.folder):
            place.remove()

    def strays(self, known: Iterable[int]) -> list[Mapping[str, Any]]:
        """Those with a folder here that nobody knows. `known` is gone through after the folders were looked at."""
        self.beat()
        found = [place.number for place in places_below(self.root) if _age_of(place.folder) > _YOUNG_SECONDS]
        strangers = set(found) - set(known)
        return [{"instance": number} for number in sorted(strangers)]

    def beat(self) -> None:
        """Say that somebody looks after the instances here."""
        heartbeat(self._heartbeat)

    @property
    def _heartbeat(self) -> Path:
        return self.root / "heartbeat"

    def _place(self, handle: Mapping[str, Any]) -> Place:
        return Place(self.root, int(handle["instance"]))


def process_target(root: Path) -> ProcessTarget:
    """That of this host, as its settings and abilities say. `root`: the supervisor's folder of instances."""
    from apps.runtime.abilities import host

    return ProcessTarget(root, host(), settings.DATA.environments, settings.SERVING_ORPHAN_SECONDS)


def _lacks(host: Host) -> Iterator[str]:
    if sys.platform != "linux":
        yield "Instances as processes need Linux: their keepers are woven into its processes."
    if settings.PROJECT_ISOLATION == "sandboxed" and host.bwrap is None:
        yield "SLIPWAY_ISOLATION wants a sandbox, and this host has none."
    try:
        uv_here()
    except DomainError as error:
        yield error.message


def _living(place: Place) -> Born | None:
    return born_in(place.folder) if is_kept(place.folder) else None


def _of_ended(place: Place, memory_mb: int | None) -> Observation:
    if not place.folder.exists():
        return Observation(False, message="Nothing of it is left on this host.")
    if not sweep(place.folder):
        return Observation(True)
    ended = ended_in(place.folder) or Ended(-signal.SIGKILL, frozenset({"lost"}))
    _, tail = read_log(place.folder, -_TAIL, _TAIL)
    message = words_of(ended, memory_mb, tail.decode(errors="replace").splitlines())
    return Observation(False, exit_code=ended.code, message=message)


def _clear_other(place: Place, spec: Spec) -> None:
    """Another one of the same number is of a database that was there before: it has to go first.

    Raises `Unavailable` where that still runs.
    """
    if not place.folder.exists() or place.said_whose() in ("", _digest_of(spec)):
        return
    end(place.folder, place.control, 0)
    if not sweep(place.folder):
        raise Unavailable("An instance that had its number before is still ending.")
    place.remove()


def _digest_of(spec: Spec) -> str:
    """Of whose instance it is."""
    said = [spec.deployment, str(spec.revision), spec.model_name, str(spec.version), spec.sha256, spec.key]
    said.append(json.dumps(spec.config.to_json(), sort_keys=True))
    return hashlib.sha256("\x00".join(said).encode()).hexdigest()


def _age_of(folder: Path) -> float:
    try:
        return time.time() - folder.stat().st_mtime
    except OSError:
        return 0.0
