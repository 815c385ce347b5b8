"""Files: copied in a stream, each whole or not at all; what is there already and unchanged is left."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from botocore.exceptions import BotoCoreError, ClientError

from apps.core.errors import DomainError
from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.folders import ROOT, ArtifactFolder, folder_of_logged_model, folder_of_run
from apps.experiments.artifacts.store import Entry
from apps.experiments.models import Experiment
from apps.exports.choosing import Chosen
from apps.exports.targets import BadTarget, FilesThere, Owner, Target
from apps.imports.sources.base import BrokenSource
from apps.imports.tally import Tally

_FAILURES = (OSError, BotoCoreError, ClientError)
_DEEPEST = 64


def copy_files(chosen: Chosen, experiment: Experiment, target: Target, tally: Tally) -> None:
    """Copy the files of all its runs and logged models."""
    for owner, folder in _folders(chosen, experiment):
        there = target.files_there(owner)
        if there is None:
            continue
        for path, entry in _below(folder, ROOT):
            _copy(there, path, entry, folder, owner, tally)
            tally.progress("copying files")


def compare_files(chosen: Chosen, experiment: Experiment, target: Target, tally: Tally, *, contents: bool) -> list[str]:
    """Lines for names and sizes that differ; with `contents` for each byte that does."""
    lines = []
    for owner, folder in _folders(chosen, experiment):
        there = target.files_there(owner)
        ours = {path: entry.size for path, entry in _below(folder, ROOT)}
        theirs = dict(there.sizes()) if there is not None else {}
        lines += [
            f"{owner}: the file '{path}' is not there as it is here"
            for path in sorted(ours.keys() | theirs.keys())
            if ours.get(path) != theirs.get(path)
        ]
        for path in ours.keys() & theirs.keys() if contents else ():
            if there is not None and _digest(folder.open(ArtifactPath.parse(path))) != _digest(there.read(path)):
                lines.append(f"{owner}: the content of '{path}' differs")
        tally.compared["files"] += len(ours)
        tally.progress("comparing", tally.compared)
    return lines


def _folders(chosen: Chosen, experiment: Experiment) -> Iterator[tuple[Owner, ArtifactFolder]]:
    for run in chosen.runs(experiment).iterator(chunk_size=1_000):
        run.experiment = experiment
        yield Owner(run_id=run.run_id), folder_of_run(run)
    for model in chosen.logged_models(experiment).iterator(chunk_size=1_000):
        model.experiment = experiment
        yield Owner(model_id=model.model_id), folder_of_logged_model(model)


def _below(folder: ArtifactFolder, path: ArtifactPath) -> Iterator[tuple[str, Entry]]:
    for entry in folder.list(path):
        inner = ArtifactPath(tuple(entry.path.split("/")))
        if not entry.is_dir:
            yield entry.path, entry
        elif len(inner.segments) < _DEEPEST:
            yield from _below(folder, inner)


def _copy(there: FilesThere, path: str, entry: Entry, folder: ArtifactFolder, owner: Owner, tally: Tally) -> None:
    try:
        if there.has(path, entry):
            tally.there["files"] += 1
            return
        there.put(path, entry, folder)
    except (BadTarget, BrokenSource):
        raise
    except (DomainError, *_FAILURES) as error:
        words = error.message if isinstance(error, DomainError) else str(error).partition("\n")[0]
        tally.problem(f"{owner}: '{path}': {words}")
        return
    tally.brought["files"] += 1
    tally.brought["bytes"] += entry.size


def _digest(chunks: Iterable[bytes]) -> bytes:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.digest()
