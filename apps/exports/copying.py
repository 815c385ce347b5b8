"""Files: copied in a stream, each whole or not at all; what is there already and unchanged is left."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from botocore.exceptions import BotoCoreError, ClientError

from apps.core.errors import DomainError
from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.folders import ROOT, ArtifactFolder, folder_of_logged_model, folder_of_run
from apps.experiments.artifacts.store import Entry
from apps.experiments.models import Experiment
from apps.exports.choosing import Chosen
from apps.exports.reading import paged
from apps.exports.targets import BadTarget, FilesThere, Owner, Target, is_full
from apps.imports.sources.base import BrokenSource
from apps.imports.tally import Tally

# What may be wrong with one file or folder. `_words` says which of it ends all.
_FAILURES = (DomainError, OSError, BotoCoreError, ClientError)
_DEEPEST = 64


def copy_files(chosen: Chosen, experiment: Experiment, target: Target, tally: Tally) -> None:
    """Copy the files of all its runs and logged models."""
    for owner, folder in _folders(chosen, experiment):
        there = target.files_there(owner)
        if there is None:
            continue
        for path, entry in _below(folder, ROOT, _saying(tally, owner)):
            _copy(there, path, entry, folder, owner, tally)
            tally.progress("copying files")


def compare_files(chosen: Chosen, experiment: Experiment, target: Target, tally: Tally, *, contents: bool) -> list[str]:
    """Lines for names and sizes that differ; with `contents` for each byte that does."""
    lines: list[str] = []
    for owner, folder in _folders(chosen, experiment):
        try:
            lines += _compare(owner, folder, target.files_there(owner), tally, contents=contents)
        except _FAILURES as error:
            lines.append(f"{owner}: its files can't be compared: {_words(error)}")
        tally.progress("comparing", tally.compared)
    return lines


def _compare(
    owner: Owner, folder: ArtifactFolder, there: FilesThere | None, tally: Tally, *, contents: bool
) -> Iterator[str]:
    # What can't be listed was told when it was copied.
    ours = {path: entry.size for path, entry in _below(folder, ROOT, lambda line: None)}
    theirs = dict(there.sizes()) if there is not None else {}
    for path in sorted(ours.keys() | theirs.keys()):
        if ours.get(path) != theirs.get(path):
            yield f"{owner}: the file '{path}' is not there as it is here"
        elif contents and there is not None:
            yield from _compare_content(owner, path, folder, there)
    tally.compared["files"] += len(ours)


def _compare_content(owner: Owner, path: str, folder: ArtifactFolder, there: FilesThere) -> Iterator[str]:
    try:
        if _digest(folder.open(ArtifactPath.parse(path))) != _digest(there.read(path)):
            yield f"{owner}: the content of '{path}' differs"
    except _FAILURES as error:
        yield f"{owner}: '{path}' can't be compared: {_words(error)}"


def _folders(chosen: Chosen, experiment: Experiment) -> Iterator[tuple[Owner, ArtifactFolder]]:
    for run in paged(chosen.runs(experiment)):
        run.experiment = experiment
        yield Owner(run_id=run.run_id), folder_of_run(run)
    for model in paged(chosen.logged_models(experiment)):
        model.experiment = experiment
        yield Owner(model_id=model.model_id), folder_of_logged_model(model)


def _below(folder: ArtifactFolder, path: ArtifactPath, say: Callable[[str], None]) -> Iterator[tuple[str, Entry]]:
    try:
        listed = folder.list(path)
    except _FAILURES as error:
        say(f"'{path}': {_words(error)}")
        return
    for entry in listed:
        inner = ArtifactPath(tuple(entry.path.split("/")))
        if not entry.is_dir:
            yield entry.path, entry
        elif len(inner.segments) < _DEEPEST:
            yield from _below(folder, inner, say)
        else:
            say(f"'{entry.path}': it lies deeper than {_DEEPEST} folders")


def _saying(tally: Tally, owner: Owner) -> Callable[[str], None]:
    return lambda line: tally.problem(f"{owner}: {line}")


def _copy(there: FilesThere, path: str, entry: Entry, folder: ArtifactFolder, owner: Owner, tally: Tally) -> None:
    try:
        if there.has(path, entry):
            tally.there["files"] += 1
            return
        there.put(path, entry, folder)
    except _FAILURES as error:
        tally.problem(f"{owner}: '{path}': {_words(error)}")
        return
    tally.brought["files"] += 1
    tally.brought["bytes"] += entry.size


def _words(error: Exception) -> str:
    """What is wrong with one file. Raises it where all that follows would fail too."""
    if isinstance(error, BadTarget | BrokenSource) or is_full(error):
        raise error
    return error.message if isinstance(error, DomainError) else str(error).partition("\n")[0]


def _digest(chunks: Iterator[bytes]) -> bytes:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.digest()
