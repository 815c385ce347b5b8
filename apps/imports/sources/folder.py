"""A store in a folder (`mlruns`), as MLflow 2.x and 3.x write it: a folder for each experiment, run and model."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from apps.experiments.actions import ModelValue, UsedDataset, Value
from apps.experiments.foreign import ForeignExperiment, ForeignLoggedModel, ForeignRun, Piece
from apps.experiments.models import LoggedModelStatus, RunStatus
from apps.experiments.selectors.sums import SeriesKey, Sums, sums_of
from apps.imports.sources.base import BrokenSource, Counts, FoundLoggedModel
from apps.imports.sources.cells import text_of
from apps.imports.sources.folder_reading import (
    META,
    BrokenFile,
    files_below,
    folders_in,
    meta_of,
    pairs_below,
    points_of,
    values_of_model,
)
from apps.imports.sources.folder_registry import count_registry, read_models
from apps.imports.sources.statuses import MODEL_STATUS, RUN_STATUS
from apps.registry.foreign import ForeignModel

# Folders of an experiment that are no runs.
_NO_RUNS = {"datasets", "models", "tags", "traces", "assessments"}
_TRASH = ".trash"
_REGISTRY = "models"
# About what a point takes in its file.
_LINE = 25


class FolderSource:
    """Reading is by folders that are where they belong; what a file says of its own place is not believed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.label = f"file://{folder}"
        self.problems: list[str] = []
        if not self._experiments:
            raise BrokenSource(f"{folder} is no store of MLflow: no folder in it has a {META}.")

    def counts(self) -> Counts:
        runs = [run for folder in self._experiments.values() for run in _runs_in(folder)]
        kinds = {
            "experiments": len(self._experiments),
            "runs": len(runs),
            "metrics": sum(1 for run in runs for _ in files_below(run / "metrics")),
            "params": sum(1 for run in runs for _ in files_below(run / "params")),
            "tags": sum(1 for run in runs for _ in files_below(run / "tags")),
            "datasets": sum(len(folders_in(folder / "datasets")) for folder in self._experiments.values()),
            "logged models": sum(len(folders_in(folder / "models")) for folder in self._experiments.values()),
        }
        traces = sum(len(folders_in(folder / "traces")) for folder in self._experiments.values())
        return Counts(kinds | count_registry(self.folder / _REGISTRY), {"traces": traces} if traces else {})

    def experiments(self) -> Sequence[ForeignExperiment]:
        found = []
        for old_id, folder in self._experiments.items():
            try:
                meta = meta_of(folder)
                created, updated = meta.get("creation_time"), meta.get("last_update_time")
                found.append(
                    ForeignExperiment(
                        old_id=old_id,
                        name=text_of(meta["name"]),
                        created_ms=int(created or updated or 0),
                        updated_ms=int(updated or created or 0),
                        is_deleted=meta.get("lifecycle_stage") == "deleted",
                        tags=pairs_below(folder / "tags"),
                    )
                )
            except (KeyError, ValueError, TypeError) as error:
                self.problems.append(f"experiment {old_id}: {_words(error)}")
        return found

    def run_ids(self, old_id: str) -> Sequence[tuple[str, int]]:
        return [(run.name, _size(run / "metrics") // _LINE) for run in _runs_in(self._experiments[old_id])]

    def runs(self, run_ids: Collection[str]) -> Sequence[ForeignRun]:
        found = []
        for run_id in run_ids:
            try:
                found.append(self._run(self._folders[run_id]))
            except (KeyError, ValueError, TypeError) as error:
                self.problems.append(f"run {run_id[:50]}: {_words(error)}")
        return found

    def run_folders(self, old_id: str) -> Sequence[tuple[str, str]]:
        return [(run.name, self._place(run, "artifact_uri")) for run in _runs_in(self._experiments[old_id])]

    def locations(self) -> Sequence[tuple[str, str]]:
        found = {}
        for old_id, folder in self._experiments.items():
            for run in _runs_in(folder):
                uri = self._place(run, "artifact_uri")
                if not uri.startswith(str(self.folder)):
                    found[uri.removesuffix(f"/{run.name}/artifacts")] = old_id
        return list(found.items())

    def pieces(self, run_ids: Collection[str], keys: Collection[SeriesKey] | None = None) -> Iterator[Piece]:
        wanted = None if keys is None else set(keys)
        for run_id in run_ids:
            for key, path in files_below(self._folders[run_id] / "metrics"):
                series = (run_id, text_of(key))
                if wanted is None or series in wanted:
                    yield Piece(*series, self._points(run_id, path))

    def sums(self, run_ids: Collection[str]) -> Mapping[SeriesKey, Sums]:
        found = {}
        for piece in self.pieces(run_ids):
            if piece.points:
                found[piece.run_id, piece.key] = sums_of(piece.points)
        return found

    def logged_models(self, old_id: str) -> Sequence[FoundLoggedModel]:
        found = []
        for folder in folders_in(self._experiments[old_id] / "models"):
            try:
                found.append(FoundLoggedModel(read_logged_model(folder), self._place(folder, "artifact_location")))
            except (KeyError, ValueError, TypeError) as error:
                self.problems.append(f"logged model {folder.name[:50]}: {_words(error)}")
        return found

    def registered_models(self) -> Sequence[ForeignModel]:
        return read_models(self.folder / _REGISTRY, self.problems)

    def close(self) -> None:
        """Nothing is held open."""

    @cached_property
    def _experiments(self) -> dict[str, Path]:
        folders = [*folders_in(self.folder), *folders_in(self.folder / _TRASH)]
        return {each.name: each for each in folders if (each / META).is_file() and each.name != _REGISTRY}

    @cached_property
    def _folders(self) -> dict[str, Path]:
        return {run.name: run for folder in self._experiments.values() for run in _runs_in(folder)}

    @cached_property
    def _of_models(self) -> dict[str, list[ModelValue]]:
        """What runs logged about models, by run id: it lies with the models."""
        found: dict[str, list[ModelValue]] = {}
        for folder in self._experiments.values():
            for model in folders_in(folder / "models"):
                try:
                    for key, path in files_below(model / "metrics"):
                        for run_id, step, timestamp, value, is_nan, name, digest in values_of_model(path):
                            number = Value(text_of(key, 250), step, timestamp, value, is_nan)
                            found.setdefault(run_id, []).append(ModelValue(model.name, number, name, digest))
                except BrokenFile as error:
                    self.problems.append(f"logged model {model.name}: {error}")
        return found

    def _place(self, folder: Path, key: str) -> str:
        """Where the files of a run or model are: beside its other files, else where it says."""
        if (folder / "artifacts").is_dir():
            return str(folder / "artifacts")
        try:
            return text_of(meta_of(folder).get(key)) or str(folder / "artifacts")
        except BrokenFile:
            return str(folder / "artifacts")

    def _points(self, run_id: str, path: Path) -> list[tuple[int, int, float, bool]]:
        try:
            return points_of(path)
        except BrokenFile as error:
            line = f"run {run_id}: {error}"
            if line not in self.problems:
                self.problems.append(line)
            return []

    def _run(self, folder: Path) -> ForeignRun:
        meta = meta_of(folder)
        tags = pairs_below(folder / "tags")
        outputs = [meta_of(each) for each in folders_in(folder / "outputs")]
        inputs = [meta_of(each) for each in folders_in(folder / "inputs")]
        return ForeignRun(
            run_id=folder.name,
            name=text_of(meta.get("run_name") or tags.get("mlflow.runName"), 250),
            status=RUN_STATUS.get(meta["status"]) or RunStatus(meta["status"]),
            start_ms=_whole(meta.get("start_time")),
            end_ms=_whole(meta.get("end_time")),
            user_name=text_of(meta.get("user_id"), 256),
            is_deleted=meta.get("lifecycle_stage") == "deleted",
            params=pairs_below(folder / "params"),
            tags=tags,
            datasets=[_dataset(folder.parent, each) for each in inputs if each.get("source_type") == "DATASET"],
            inputs={each["source_id"]: 0 for each in inputs if each.get("source_type") == "MODEL"},
            outputs={each["destination_id"]: int(each.get("step") or 0) for each in outputs},
            of_models=self._of_models.get(folder.name, []),
        )


def _runs_in(experiment: Path) -> list[Path]:
    return [folder for folder in folders_in(experiment) if folder.name not in _NO_RUNS]


def _dataset(experiment: Path, used: Mapping[str, Any]) -> UsedDataset:
    key = str(used["source_id"])
    if not key.isalnum():
        raise BrokenFile("it names a dataset that can't be one")
    meta = meta_of(experiment / "datasets" / key)
    schema, profile = meta.get("schema"), meta.get("profile")
    return UsedDataset(
        name=text_of(meta["name"], 500),
        digest=text_of(meta["digest"], 36),
        source_type=text_of(meta["source_type"], 36),
        source=text_of(meta["source"]),
        schema=None if schema is None else text_of(schema),
        profile=None if profile is None else text_of(profile),
        tags=[(text_of(key), text_of(value)) for key, value in (used.get("tags") or {}).items()],
    )


def read_logged_model(folder: Path) -> ForeignLoggedModel:
    """What the folder of a logged model says. Raises `KeyError`, `ValueError` and `TypeError`."""
    meta = meta_of(folder)
    return ForeignLoggedModel(
        model_id=folder.name,
        name=text_of(meta["name"], 500),
        status=MODEL_STATUS.get(meta.get("status"), LoggedModelStatus.UNSPECIFIED),
        status_message=text_of(meta.get("status_message"), 1000),
        model_type=text_of(meta.get("model_type"), 500),
        source_run_id=text_of(meta.get("source_run_id"), 36),
        created_ms=int(meta["creation_timestamp"]),
        updated_ms=int(meta["last_updated_timestamp"]),
        is_deleted=meta.get("lifecycle_stage") == "deleted",
        params=pairs_below(folder / "params"),
        tags=pairs_below(folder / "tags"),
    )


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for _, path in files_below(folder))


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _words(error: Exception) -> str:
    return f"its {META} lacks {error}" if isinstance(error, KeyError) else str(error)
