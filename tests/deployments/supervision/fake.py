"""A target whose instances are entries of a table: tests say what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.core.errors import DomainError
from apps.deployments.targets.base import LogPiece, NotPrepared, Observation, Say, Spec, Started


@dataclass
class Fake:
    """An instance. `is_ready` from the start unless a test says otherwise."""

    spec: Spec
    is_alive: bool = True
    is_ready: bool = True
    exit_code: int | None = None
    message: str = ""
    log: str = ""
    graces: list[float] = field(default_factory=list)
    is_stubborn: bool = False


@dataclass
class FakeTarget:
    """`starts` is asked about each that is started: it may raise, or change the entry."""

    entries: dict[int, Fake] = field(default_factory=dict)
    prepared: set[str] = field(default_factory=set)
    preparations: list[str] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)
    starts: Callable[[Fake], None] = lambda fake: None
    observations: int = 0
    fault: DomainError | None = None

    def lacks(self) -> tuple[str, ...]:
        return ()

    def prepare(self, spec: Spec, say: Say, is_cancelled: Callable[[], bool]) -> None:
        say("Preparing.")
        self.preparations.append(spec.needs.key)
        self.prepared.add(spec.needs.key)

    def start(self, spec: Spec) -> Started:
        if self.fault is not None:
            raise self.fault
        if spec.needs.key not in self.prepared:
            raise NotPrepared("Not prepared.")
        if spec.instance not in self.entries:
            fake = Fake(spec)
            self.entries[spec.instance] = fake
            self.starts(fake)
        return Started({"number": spec.instance}, f"unix:/fake/{spec.instance}", "separate process", ("cpus: no.",))

    def observe(self, handles: Mapping[int, Mapping[str, Any]]) -> Mapping[int, Observation]:
        self.observations += 1
        return {pk: self._seen(int(handle["number"])) for pk, handle in handles.items()}

    def end(self, handle: Mapping[str, Any], grace_s: float) -> None:
        fake = self.entries.get(int(handle["number"]))
        if fake is not None:
            fake.graces.append(grace_s)
            if not fake.is_stubborn:
                fake.is_alive, fake.exit_code = False, 0

    def log(self, handle: Mapping[str, Any], start: int, at_most: int) -> LogPiece:
        fake = self.entries.get(int(handle["number"]))
        data = fake.log.encode() if fake else b""
        begin = max(0, len(data) + start) if start < 0 else min(start, len(data))
        piece = data[begin : begin + at_most]
        return LogPiece(begin, begin + len(piece), piece.decode())

    def forget(self, handle: Mapping[str, Any]) -> None:
        self.forgotten.append(int(handle["number"]))
        self.entries.pop(int(handle["number"]), None)

    def strays(self, known: Iterable[int]) -> list[Mapping[str, Any]]:
        found = list(self.entries)
        wanted = set(known)
        return [{"number": number} for number in found if number not in wanted]

    def alive(self) -> list[int]:
        """The numbers of those that run."""
        return [number for number, fake in self.entries.items() if fake.is_alive]

    def die(self, number: int, code: int = 1, message: str = "", log: str = "") -> None:
        """It ends by itself."""
        fake = self.entries[number]
        fake.is_alive, fake.is_ready, fake.exit_code, fake.message, fake.log = False, False, code, message, log

    def _seen(self, number: int) -> Observation:
        fake = self.entries.get(number)
        if fake is None:
            return Observation(False, message="It is gone.")
        if not fake.is_alive:
            return Observation(False, exit_code=fake.exit_code, message=fake.message)
        return Observation(True, fake.is_ready, f"unix:/fake/{number}", memory_bytes=1000)
