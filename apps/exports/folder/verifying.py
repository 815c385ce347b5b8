"""Comparing a folder with what is here: it is read as an import would read it, points in a stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from apps.experiments.foreign import ForeignExperiment, ForeignLoggedModel, ForeignRun
from apps.experiments.selectors.sums import Sums, series_sums, sums_of
from apps.exports.folder.registry import AddressOf, Registry, placed
from apps.exports.targets import Going, GoingModel
from apps.imports.sources.cells import number_of
from apps.imports.sources.folder import FolderSource, read_logged_model
from apps.imports.sources.folder_reading import files_below
from apps.imports.sources.folder_registry import read_models
from apps.imports.tally import Tally
from apps.registry.foreign import ForeignModel


class Verifier:
    """Reads the store when all is written."""

    def __init__(self, store: Path, registry: Registry, tally: Tally) -> None:
        self._store, self._registry, self._tally = store, registry, tally

    def runs(self, place: Path, experiment: ForeignExperiment, runs: Sequence[Going]) -> list[str]:
        """Lines for those that differ from what is here now."""
        lines = []
        if self._known.get(experiment.old_id) != experiment:
            lines.append(f"the experiment '{experiment.name}' is not there as it is here")
        ids = [going.foreign.run_id for going in runs if (place / going.foreign.run_id).is_dir()]
        there = {run.run_id: run for run in self._source.runs(ids)}
        ours = series_sums(ids)
        for going in runs:
            run_id = going.foreign.run_id
            if run_id not in there:
                lines.append(f"run {run_id} is not there")
                continue
            lines += differences(going.foreign, there[run_id])
            theirs = {key: _sums_in(path) for key, path in files_below(place / run_id / "metrics")}
            mine = {series.key: ours.get((run_id, series.key)) for series in going.series}
            for key in sorted(mine.keys() | theirs.keys()):
                if mine.get(key) != theirs.get(key):
                    lines.append(f"run {run_id}: the points of the metric '{key}' differ")
            self._tally.compared["runs"] += 1
            self._tally.compared["metric points"] += sum(sums.points for sums in theirs.values() if sums)
            self._tally.progress("comparing", self._tally.compared)
        lines += [f"there: {line}" for line in self._source.problems]
        self._source.problems.clear()
        return lines

    def logged_models(self, place: Path, models: Sequence[ForeignLoggedModel]) -> list[str]:
        """Lines for those of an experiment that differ; their metrics are those of runs."""
        lines = []
        for model in models:
            about = f"logged model {model.model_id}"
            try:
                if read_logged_model(place / "models" / model.model_id) != model:
                    lines.append(f"{about} is not there as it is here")
            except (KeyError, ValueError, TypeError):
                lines.append(f"{about} is not there, or can't be read")
        return lines

    @cached_property
    def _source(self) -> FolderSource:
        return FolderSource(self._store)

    @cached_property
    def _known(self) -> dict[str, ForeignExperiment]:
        return {each.old_id: each for each in self._source.experiments()}

    def models(self, models: Sequence[GoingModel], address_of: AddressOf) -> list[str]:
        """Lines for registered models that differ."""
        lines: list[str] = []
        found = read_models(self._store / "models", lines)
        there = {model.name: self._registry.own_of(model) for model in found if self._registry.own(model.name)}
        for going in models:
            ours, theirs = placed(going, address_of), there.get(going.model.name)
            if theirs and theirs.last_number > ours.last_number:
                # Of somebody else's version, which stays.
                theirs = replace(theirs, last_number=ours.last_number)
            if _comparable(ours) != _comparable(theirs):
                lines.append(f"the registered model '{going.model.name}' is not there as it is here")
            self._tally.compared["model versions"] += len(going.model.versions)
        return lines


def differences(ours: ForeignRun, theirs: ForeignRun) -> list[str]:
    """Lines for what differs between two runs but for their points."""
    about = f"run {ours.run_id}"
    lines = [f"{about}: the params differ"] if ours.params != theirs.params else []
    lines += [f"{about}: the tags differ"] if ours.tags != theirs.tags else []
    if _datasets(ours) != _datasets(theirs):
        lines.append(f"{about}: the datasets differ")
    if _of_models(ours) != _of_models(theirs):
        lines.append(f"{about}: what it says of logged models differs")
    if _facts(ours) != _facts(theirs):
        lines.append(f"{about}: its name, state, times or user differ")
    return lines


def _facts(run: ForeignRun) -> tuple[object, ...]:
    name = run.name or run.tags.get("mlflow.runName", "")
    return name, run.status, run.start_ms, run.end_ms, run.user_name, run.is_deleted


def _of_models(run: ForeignRun) -> tuple[object, ...]:
    return run.inputs, run.outputs, sorted(run.of_models, key=repr)


def _datasets(run: ForeignRun) -> list[object]:
    return sorted((replace(each, tags=sorted(each.tags)) for each in run.datasets), key=repr)


def _comparable(model: ForeignModel | None) -> ForeignModel | None:
    """What a folder says: which logged model a version is of stands in its source alone."""
    return model and replace(model, versions=[replace(each, model_id="") for each in model.versions])


def _sums_in(path: Path) -> Sums | None:
    """None for a file that somebody else has written into."""
    try:
        return sums_of(_points_of(path))
    except ValueError:
        return None


def _points_of(path: Path) -> Iterator[tuple[int, int, float, bool]]:
    with path.open("rb") as file:
        for line in file:
            timestamp, value, step = line.split()
            yield int(step), int(timestamp), *number_of(value)
