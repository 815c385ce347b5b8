"""Files: copied in a stream through our own store, each whole or not at all; what is there already is left."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError

from apps.core.errors import DomainError, InvalidInput
from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.folders import ArtifactFolder, folder_of_logged_model, folder_of_run
from apps.experiments.foreign import ForeignExperiment
from apps.experiments.models import Experiment, LoggedModel, Run
from apps.imports.places import Tree, Trees
from apps.imports.sources.base import BrokenSource, Source
from apps.imports.tally import Tally

_FAILURES = (OSError, BotoCoreError, ClientError)


# What is done with the files of one run or model, which is named in the end.
Visit = Callable[[Tree, ArtifactFolder, str], None]
Lost = Callable[[str], None]


def for_all_files(
    source: Source, trees: Trees, moved: Sequence[tuple[ForeignExperiment, Experiment]], lost: Lost, visit: Visit
) -> None:
    """Visit the files of all runs and logged models that are here; `lost` is told of those that nobody can find."""
    for where, find, folder in _folders(source, trees, moved):
        try:
            tree = find()
        except InvalidInput as error:
            lost(f"{where}: {error.message}")
            continue
        visit(tree, folder, where)


def _folders(
    source: Source, trees: Trees, moved: Sequence[tuple[ForeignExperiment, Experiment]]
) -> Iterator[tuple[str, Callable[[], Tree], ArtifactFolder]]:
    for foreign, experiment in moved:
        runs = {run.run_id: run for run in Run.objects.filter(experiment=experiment)}
        for run_id, uri in source.run_folders(foreign.old_id):
            if run := runs.get(run_id):
                run.experiment = experiment
                yield f"run {run_id}", partial(trees.of_run, run_id, uri), folder_of_run(run)
        models = {model.model_id: model for model in LoggedModel.objects.filter(experiment=experiment)}
        for found in source.logged_models(foreign.old_id):
            if model := models.get(found.model.model_id):
                model.experiment = experiment
                find = partial(trees.of_model, model.model_id, found.artifact_uri)
                yield f"logged model {model.model_id}", find, folder_of_logged_model(model)


def copy_files(tally: Tally, tree: Tree, folder: ArtifactFolder, where: str) -> None:
    """Bring over what is missing. A file that is here in another size was changed on one side, and stays."""
    for path, size in tree.files():
        try:
            target = ArtifactPath.parse(path)
            here = folder.stat(target)
            if here is not None and not here.is_dir and here.size == size:
                tally.there["files"] += 1
                continue
            if here is not None:
                tally.problem(f"{where}: '{path}' is here already and differs")
                continue
            reader = Reader(tree.read(path))
            folder.write(target, reader, size)
        except (DomainError, *_FAILURES) as error:
            if isinstance(error, BrokenSource):
                raise
            tally.problem(f"{where}: '{path}': {_words(error)}")
            continue
        if reader.size != size:
            tally.problem(f"{where}: '{path}' has {size} bytes, and {reader.size} came")
        tally.brought["files"] += 1
        tally.brought["bytes"] += reader.size
        tally.progress("copying files")


class Comparison:
    """Comparing names and sizes; with `contents` each byte, by SHA-256. `differences` are lines."""

    def __init__(self, tally: Tally, *, contents: bool) -> None:
        self._tally, self._contents = tally, contents
        self.differences: list[str] = []

    def __call__(self, tree: Tree, folder: ArtifactFolder, where: str) -> None:
        """Compare one run's or model's files."""
        for path, size in tree.files():
            try:
                target = ArtifactPath.parse(path)
                here = folder.stat(target)
                if here is None or here.is_dir or here.size != size:
                    self.differences.append(f"{where}: the file '{path}' is not here as it is there")
                    continue
                if self._contents and _digest(tree.read(path)) != _digest(folder.open(target)):
                    self.differences.append(f"{where}: the content of '{path}' differs")
            except (DomainError, *_FAILURES) as error:
                self.differences.append(f"{where}: '{path}' can't be compared: {_words(error)}")
                continue
            self._tally.compared["files"] += 1
            self._tally.compared["bytes"] += size


class Reader:
    """Chunks as something that is read from: exactly as much as is asked for, until the end."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._kept = chunks, b""
        self.size = 0

    def read(self, size: int = -1, /) -> bytes:
        """The next `size` bytes; fewer at the end alone."""
        parts, length = [self._kept], len(self._kept)
        while size < 0 or length < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            parts.append(chunk)
            length += len(chunk)
        whole = b"".join(parts)
        given, self._kept = (whole, b"") if size < 0 else (whole[:size], whole[size:])
        self.size += len(given)
        return given


def _digest(chunks: Iterator[bytes]) -> bytes:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.digest()


def _words(error: Exception) -> str:
    return error.message if isinstance(error, DomainError) else str(error).partition("\n")[0]
