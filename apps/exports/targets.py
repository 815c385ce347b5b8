"""What a place does that is exported to: a folder, or a server."""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from apps.core.errors import DomainError
from apps.experiments.artifacts.folders import ArtifactFolder
from apps.experiments.artifacts.store import Entry
from apps.experiments.foreign import ForeignExperiment, ForeignLoggedModel, ForeignRun
from apps.experiments.models import Run, Series
from apps.registry.foreign import ForeignModel


class BadTarget(DomainError):
    """Nothing can be written there, at all or from here on. What was written is whole."""


class Refused(DomainError):
    """One thing can't be kept there; the message says why."""


_FULL = (errno.ENOSPC, errno.EDQUOT)


def is_full(error: Exception) -> bool:
    """Whether there is no room left: whatever follows would fail as well."""
    return isinstance(error, OSError) and error.errno in _FULL


@dataclass(frozen=True, slots=True)
class Going:
    """A run that is written: its row, what it holds without points, and its series."""

    run: Run
    foreign: ForeignRun
    series: Sequence[Series]


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose files they are: one of the two ids is empty."""

    run_id: str = ""
    model_id: str = ""

    def __str__(self) -> str:
        return f"run {self.run_id}" if self.run_id else f"logged model {self.model_id}"


@dataclass(frozen=True, slots=True)
class GoingModel:
    """A registered model, and for each number of a version whose its files are, and in which folder there."""

    model: ForeignModel
    files: Mapping[int, tuple[Owner, str]]


@dataclass(frozen=True, slots=True)
class Names:
    """What experiments and models are called that are to be put somewhere."""

    experiments: Sequence[str]
    models: Sequence[str]


class Target(Protocol):
    """A place. What is there of the same export is left, so that one that broke off goes on. Raises `BadTarget`.

    Experiment by experiment: `put_experiment`, `put_runs` for all chunks, `put_logged_models`, the files, and
    `end_runs` for all chunks; then the models. In the end each is verified, by what can be read there.
    """

    # Which place it is, without a password.
    label: str

    @property
    def notes(self) -> Sequence[str]:
        """What is other there than here, and why: for people, when all is done."""

    def open(self, manifest: Mapping[str, Any], names: Names) -> None:
        """Take it, if it is empty or was taken by the same manifest before; and by nobody at this moment."""

    def put_experiment(self, experiment: ForeignExperiment) -> None: ...

    def put_runs(self, experiment: ForeignExperiment, runs: Sequence[Going]) -> None: ...

    def put_logged_models(self, experiment: ForeignExperiment, models: Sequence[ForeignLoggedModel]) -> None: ...

    def files_there(self, owner: Owner) -> FilesThere | None:
        """Where its files go; None where it could not be put there itself."""

    def end_runs(self, experiment: ForeignExperiment, runs: Sequence[Going]) -> None:
        """What can only be said when all runs, logged models and files of it are there."""

    def end_experiment(self, experiment: ForeignExperiment) -> None:
        """The same of the experiment."""

    def put_model(self, going: GoingModel) -> None: ...

    def verify_runs(self, experiment: ForeignExperiment, runs: Sequence[Going]) -> Sequence[str]:
        """Lines that say what differs."""

    def verify_logged_models(
        self, experiment: ForeignExperiment, models: Sequence[ForeignLoggedModel]
    ) -> Sequence[str]:
        """The same of logged models."""

    def verify_models(self, models: Sequence[GoingModel]) -> Sequence[str]:
        """The same of the registry."""

    def close(self) -> None: ...


class FilesThere(Protocol):
    """The files of a run or logged model at a target."""

    def has(self, path: str, entry: Entry) -> bool:
        """Whether it was copied already, and has not changed since."""

    def put(self, path: str, entry: Entry, folder: ArtifactFolder) -> None:
        """Copy it in a stream, whole or not at all. Raises `Refused`."""

    def sizes(self) -> Mapping[str, int]:
        """What lies there, by path."""

    def read(self, path: str) -> Any:
        """The chunks of one."""
