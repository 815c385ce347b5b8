"""What is brought over from another tracking server: values as that one kept them, ids included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from apps.experiments.models import LoggedModelStatus, RunStatus

if TYPE_CHECKING:
    from apps.experiments.actions.datasets import UsedDataset
    from apps.experiments.actions.model_metrics import ModelValue

# Where something came from: which store, and what it was called there. For running an import again.
ORIGIN_TAG = "slipway.import.source"
OLD_ID_TAG = "slipway.import.experiment_id"


class Point(NamedTuple):
    """One value of a series, in the stored form; ordered as the latest of a series is found."""

    step: int
    timestamp: int
    value: float
    is_nan: bool


class Piece(NamedTuple):
    """Points of one series, each once. What belongs to a series comes together, in one piece or several."""

    run_id: str
    key: str
    points: Sequence[Point | tuple[int, int, float, bool]]


@dataclass(frozen=True, slots=True)
class ForeignExperiment:
    """An experiment of another server; `old_id` is its id there."""

    old_id: str
    name: str
    created_ms: int
    updated_ms: int
    is_deleted: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ForeignRun:
    """A run of another server, without its points. `inputs` and `outputs` map ids of logged models to steps."""

    run_id: str
    name: str
    status: RunStatus
    start_ms: int | None
    end_ms: int | None
    user_name: str
    is_deleted: bool
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    datasets: Sequence[UsedDataset] = ()
    inputs: Mapping[str, int] = field(default_factory=dict)
    outputs: Mapping[str, int] = field(default_factory=dict)
    of_models: Sequence[ModelValue] = ()


@dataclass(frozen=True, slots=True)
class ForeignLoggedModel:
    """A logged model of another server, without its metrics, which come with the runs that logged them."""

    model_id: str
    name: str
    status: LoggedModelStatus
    status_message: str
    model_type: str
    source_run_id: str
    created_ms: int
    updated_ms: int
    is_deleted: bool
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
