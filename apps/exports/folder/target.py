from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from apps.experiments.actions import ModelValue
from apps.experiments.foreign import ForeignExperiment, ForeignLoggedModel, ForeignRun, Piece
from apps.experiments.models import LoggedModelMetric
from apps.exports.folder import words
from apps.exports.folder.files import FolderFiles
from apps.exports.folder.registry import Registry
from apps.exports.folder.state import State
from apps.exports.folder.verifying import Verifier
from apps.exports.folder.writing import META, Unwritable, empty, path_of, places, put_in_place, write_meta, write_pairs
from apps.exports.reading import pieces_of, stamp_of, value_of
from apps.exports.targets import BadTarget, Going, GoingModel, Names, Owner, is_full
from apps.imports.tally import Tally

STORE = "mlruns"
_TRASH = ".trash"
_FILES = "artifacts"
# Folders of an experiment that are no runs.
_RESERVED = frozenset({"assessments", "datasets", "models", "tags", "traces"})


class FolderTarget:
    """`mlruns` in a folder. A run appears in it whole, by a rename, and its stamp is kept after that."""

    def __init__(self, root: Path, tally: Tally, *, address: str = "") -> None:
        self.label = str(root)
        self.notes: Sequence[str] = ()
        self._root, self._store = root, root / STORE
        self._address = (address or self._store.as_uri()).rstrip("/")
        self._tally, self._state = tally, State(root)
        self._registry = Registry(self._store / "models", self._state, tally.problem)
        self._verifier = Verifier(self._store, self._registry, tally)

    def open(self, manifest: Mapping[str, Any], names: Names) -> None:
        home = Path(settings.DATA.root).resolve()
        if self._root.is_relative_to(home) or home.is_relative_to(self._root):
            raise BadTarget(f"{self._root} holds Slipway's own data, or lies in it.")
        self._state.take({**manifest, "address": self._address})
        try:
            empty(self._state.staging)
            for name in (_TRASH, "models"):
                (self._store / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadTarget(f"{self._root} can't be written: {error.strerror}.") from error

    def put_experiment(self, experiment: ForeignExperiment) -> None:
        place, other = self._place(experiment), self._place(experiment, is_other=True)
        if other.exists():
            place.parent.mkdir(exist_ok=True)
            other.rename(place)
        self._tally.brought["experiments"] += not place.exists()
        write_meta(place, words.of_experiment(experiment, f"{self._address}/{experiment.old_id}"))
        tags = self._staged("tags")
        write_pairs(tags, experiment.tags, self._say(f"experiment '{experiment.name}': the tag"))
        put_in_place(tags, place / "tags")

    def put_runs(self, experiment: ForeignExperiment, runs: Sequence[Going]) -> None:
        fresh = []
        for going in runs:
            run_id, stamp = going.foreign.run_id, stamp_of(going.foreign, going.series)
            if self._state.stamp(run_id) == stamp and (self._place(experiment) / run_id).is_dir():
                self._tally.there["runs"] += 1
                continue
            if not _is_name(run_id) or run_id in _RESERVED:
                self._tally.problem(f"run {run_id[:50]}: its id can't be the name of a folder")
                continue
            self._stage_run(experiment, going.foreign, going.run.deleted_ms)
            fresh.append((going, stamp))
        self._write_points([going for going, _ in fresh])
        for going, stamp in fresh:
            run_id = going.foreign.run_id
            put_in_place(self._state.staging / run_id, self._place(experiment) / run_id, keeping=_FILES)
            self._state.keep(run_id, experiment.old_id, stamp)
        self._tally.brought["runs"] += len(fresh)

    def put_logged_models(self, experiment: ForeignExperiment, models: Sequence[ForeignLoggedModel]) -> None:
        values = _values_of([model.model_id for model in models])
        for model in models:
            if not _is_name(model.model_id):
                self._tally.problem(f"logged model {model.model_id[:50]}: its id can't be the name of a folder")
                continue
            mine = values.get(model.model_id, [])
            stamp = repr((model, mine))
            place = self._place(experiment) / "models" / model.model_id
            if self._state.stamp(model.model_id) == stamp and place.is_dir():
                self._tally.there["logged models"] += 1
                continue
            put_in_place(self._stage_model(experiment, model, mine), place, keeping=_FILES)
            self._state.keep(model.model_id, experiment.old_id, stamp)
            self._tally.brought["logged models"] += 1

    def files_there(self, owner: Owner) -> FolderFiles | None:
        place = self._state.place(owner.run_id or owner.model_id)
        if not place:
            return None
        experiment = self._store / place
        if not experiment.is_dir():
            experiment = self._store / _TRASH / place
        inner = experiment / owner.run_id if owner.run_id else experiment / "models" / owner.model_id
        return FolderFiles(inner / _FILES, self._state.staging / "file")

    def end_runs(self, experiment: ForeignExperiment, runs: Sequence[Going]) -> None:
        """All was said when they were written."""

    def end_experiment(self, experiment: ForeignExperiment) -> None:
        """All was said when it was written."""

    def put_model(self, going: GoingModel) -> None:
        try:
            self._registry.put(going, self._address_of)
        except (OSError, Unwritable) as error:
            if is_full(error):
                raise
            self._tally.problem(f"registered model '{going.model.name}': {error}")
            return
        self._tally.brought["registered models"] += 1
        self._tally.brought["model versions"] += len(going.model.versions)

    def verify_runs(self, experiment: ForeignExperiment, runs: Sequence[Going]) -> Sequence[str]:
        return self._verifier.runs(self._place(experiment), experiment, runs)

    def verify_logged_models(
        self, experiment: ForeignExperiment, models: Sequence[ForeignLoggedModel]
    ) -> Sequence[str]:
        return self._verifier.logged_models(self._place(experiment), models)

    def verify_models(self, models: Sequence[GoingModel]) -> Sequence[str]:
        return self._verifier.models(models, self._address_of)

    def close(self) -> None:
        shutil.rmtree(self._state.staging, ignore_errors=True)
        self._state.close()

    def _address_of(self, owner: Owner, path: str) -> str:
        """The address of files in a run or logged model; empty where it is not there."""
        place = self._state.place(owner.run_id or owner.model_id)
        inner = owner.run_id or f"models/{owner.model_id}"
        return f"{self._address}/{place}/{inner}/{_FILES}{path}" if place else ""

    def _place(self, experiment: ForeignExperiment, *, is_other: bool = False) -> Path:
        in_trash = experiment.is_deleted is not is_other
        return (self._store / _TRASH if in_trash else self._store) / experiment.old_id

    def _staged(self, name: str) -> Path:
        folder = self._state.staging / name
        empty(folder)
        return folder

    def _stage_run(self, experiment: ForeignExperiment, run: ForeignRun, deleted_ms: int | None) -> None:
        folder = self._staged(run.run_id)
        uri = f"{self._address}/{experiment.old_id}/{run.run_id}/{_FILES}"
        write_meta(folder, words.of_run(run, experiment.old_id, uri, deleted_ms))
        write_pairs(folder / "params", run.params, self._say(f"run {run.run_id}: the param"))
        write_pairs(folder / "tags", run.tags, self._say(f"run {run.run_id}: the tag"))
        (folder / "metrics").mkdir()
        (folder / _FILES).mkdir()
        for dataset in run.datasets:
            described = self._place(experiment) / "datasets" / words.dataset_id(dataset)
            if not (described / META).is_file():
                write_meta(described, words.of_dataset(dataset))
            write_meta(folder / "inputs" / words.use_id(dataset, run.run_id), words.of_use(dataset))
        for model_id in run.inputs:
            place = folder / "inputs" / words.input_id(model_id, run.run_id)
            write_meta(place, words.of_input(model_id, run.run_id))
        for model_id, step in run.outputs.items():
            write_meta(folder / "outputs" / model_id, words.of_output(model_id, step))

    def _write_points(self, runs: Sequence[Going]) -> None:
        paths: dict[tuple[str, str], Path] = {}
        for going in runs:
            run_id = going.foreign.run_id
            keys = {series.key: 0 for series in going.series}
            say = self._say(f"run {run_id}: the metric")
            found = places(self._state.staging / run_id / "metrics", keys, say)
            paths |= {(run_id, key): path for key, path in found}
        with ExitStack() as stack:
            current, file = ("", ""), None
            for piece in pieces_of({going.run: going.series for going in runs}):
                series = (piece.run_id, piece.key)
                if series not in paths:
                    continue
                if series != current:
                    stack.close()
                    current, file = series, stack.enter_context(_made(paths[series]))
                if file is not None:
                    file.write(_lines(piece))
                self._tally.brought["metric points"] += len(piece.points)
                self._tally.progress("writing runs")

    def _stage_model(
        self, experiment: ForeignExperiment, model: ForeignLoggedModel, values: Sequence[tuple[str, ModelValue]]
    ) -> Path:
        folder = self._staged(model.model_id)
        about = f"logged model {model.model_id}"
        uri = f"{self._address}/{experiment.old_id}/models/{model.model_id}/{_FILES}"
        write_meta(folder, words.of_logged_model(model, experiment.old_id, uri))
        write_pairs(folder / "params", model.params, self._say(f"{about}: the param"))
        write_pairs(folder / "tags", model.tags, self._say(f"{about}: the tag"))
        (folder / "metrics").mkdir()
        (folder / _FILES).mkdir()
        lines: dict[str, list[str]] = {}
        for run_id, each in values:
            dataset = f" {each.dataset_name} {each.dataset_digest}" if each.dataset_name and each.dataset_digest else ""
            if dataset and len(dataset.split()) != 2:
                self._tally.problem(f"{about}: the dataset '{each.dataset_name[:80]}' of a metric has a space")
                dataset = ""
            value = each.value
            line = f"{value.timestamp} {'nan' if value.is_nan else value.value!r} {value.step} {run_id}{dataset}\n"
            lines.setdefault(value.key, []).append(line)
        write_pairs(
            folder / "metrics",
            {key: "".join(mine) for key, mine in lines.items()},
            self._say(f"{about}: the metric"),
        )
        return folder

    def _say(self, about: str) -> Callable[[str], None]:
        return lambda line: self._tally.problem(f"{about} {line}")


def _values_of(model_ids: Sequence[str]) -> dict[str, list[tuple[str, ModelValue]]]:
    """What runs logged about models, each with the run's id."""
    found: dict[str, list[tuple[str, ModelValue]]] = {}
    rows = LoggedModelMetric.objects.filter(model__model_id__in=model_ids).select_related("model", "run").order_by("pk")
    for row in rows:
        found.setdefault(row.model.model_id, []).append((row.run.run_id, value_of(row)))
    return found


def _made(path: Path) -> IO[str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("w", encoding="ascii", newline="")


def _lines(piece: Piece) -> str:
    return "".join(
        f"{timestamp} {'nan' if is_nan else repr(value)} {step}\n" for step, timestamp, value, is_nan in piece.points
    )


def _is_name(text: str) -> bool:
    try:
        path_of(Path(), text)
    except Unwritable:
        return False
    return "/" not in text and not text.startswith(".")
