from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from apps.core.errors import DomainError
from apps.experiments.foreign import ForeignExperiment, ForeignLoggedModel, ForeignRun, Piece
from apps.experiments.selectors.sums import SeriesKey, Sums
from apps.registry.foreign import ForeignModel


class BrokenSource(DomainError):
    """The source can't be read, at all or from here on. What came before is whole."""


@dataclass(frozen=True, slots=True)
class FoundLoggedModel:
    """A logged model, and where its files lie."""

    model: ForeignLoggedModel
    artifact_uri: str


@dataclass(slots=True)
class Counts:
    """What a source holds, by kind, in the order in which it is told; `left` is what is not brought over."""

    kinds: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)


class Source(Protocol):
    """A store of another server. Reading is all that happens to it. Methods raise `BrokenSource`."""

    # Which store it is, without a password; the same at each import.
    label: str
    # Rows that can't be brought over, one line each.
    problems: list[str]

    def counts(self) -> Counts:
        """For a dry run, and for telling how far it is."""

    def experiments(self) -> Sequence[ForeignExperiment]: ...

    def run_ids(self, old_id: str) -> Sequence[tuple[str, int]]:
        """The ids of an experiment's runs, each with about how many points it has; in the same order each time."""

    def runs(self, run_ids: Collection[str]) -> Sequence[ForeignRun]:
        """Runs without their points; one that is broken is left out, and a line of `problems`."""

    def run_folders(self, old_id: str) -> Sequence[tuple[str, str]]:
        """For each run of an experiment its id, and where its files lie."""

    def locations(self) -> Sequence[tuple[str, str]]:
        """Where experiments that hold something say that their files lie, each with the experiment's id."""

    def pieces(self, run_ids: Collection[str], keys: Collection[SeriesKey] | None = None) -> Iterator[Piece]:
        """All points of runs, or those of some of their series."""

    def sums(self, run_ids: Collection[str]) -> Mapping[SeriesKey, Sums]:
        """What there is of each series."""

    def logged_models(self, old_id: str) -> Sequence[FoundLoggedModel]: ...

    def registered_models(self) -> Sequence[ForeignModel]: ...

    def close(self) -> None: ...
