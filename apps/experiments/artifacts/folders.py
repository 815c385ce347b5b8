"""Whose folder a path lies in, and so who may read and write there.

The protocol's clients name files as `<experiment id>/<run id>/artifacts/<path>` or
`<experiment id>/models/<model id>/artifacts/<path>`. All else in the store is the administrators'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import urlsplit

from apps.accounts.access import require_admin
from apps.core.actor import Actor, Level
from apps.core.errors import InvalidInput, NotFound
from apps.core.paths import ArtifactPath
from apps.experiments import access
from apps.experiments.artifacts.store import Entry, Source, Store, own_store, store_at
from apps.experiments.models import Experiment, LoggedModel, Run

Owner = TypeVar("Owner", Run, LoggedModel)
ROOT = ArtifactPath(())
_FILES = "artifacts"
_MODELS = "models"


@dataclass(frozen=True, slots=True)
class ArtifactFolder:
    """The files of one run or logged model. Paths are relative to it; whoever holds it has been let in."""

    store: Store
    root: ArtifactPath
    # As the protocol writes it.
    uri: str
    run_id: str = ""

    def list(self, path: ArtifactPath = ROOT) -> Sequence[Entry]:
        """What lies directly in a folder, by path; empty for a file and for what isn't there."""
        return [
            replace(entry, path="/".join((*path.segments, entry.path))) for entry in self.store.list(self._at(path))
        ]

    def stat(self, path: ArtifactPath) -> Entry | None:
        """The file or folder, or None."""
        found = self.store.stat(self._at(path))
        return replace(found, path=str(path)) if found else None

    def exists(self, path: ArtifactPath = ROOT) -> bool:
        """Whether a file or folder lies there."""
        return self.stat(path) is not None

    def file(self, path: ArtifactPath) -> Entry:
        """The file. Raises `NotFound`, and `InvalidInput` for a folder."""
        found = self.stat(path)
        if found is None:
            raise NotFound(f"No such artifact: '{path}'")
        if found.is_dir:
            raise InvalidInput(f"Artifact path refers to a directory, not a file: '{path}'")
        return found

    def open(self, path: ArtifactPath, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to, not including, `end` (None: to the end), in chunks. Raises `NotFound`."""
        return self.store.read(self._at(path), start, self.file(path).size if end is None else end)

    def head(self, path: ArtifactPath, size: int) -> bytes:
        """The first `size` bytes of a file."""
        return b"".join(self.open(path, 0, size))

    def write(self, path: ArtifactPath, source: Source, length: int | None = None) -> None:
        """Keep a file, whole or not at all. Raises `Conflict` where something is in the way."""
        self.store.write(self._at(path), source, length)

    def delete(self, path: ArtifactPath = ROOT) -> bool:
        """Remove a file, or a folder with all in it; whether there was one."""
        return self.store.delete(self._at(path))

    def usage(self) -> tuple[int, int]:
        """How many files there are, and their bytes."""
        return self.store.usage(self.root)

    def key(self, path: ArtifactPath) -> ArtifactPath:
        """Where `path` lies in the store."""
        return self._at(path)

    def _at(self, path: ArtifactPath) -> ArtifactPath:
        return self.root.joined(path)


def folder_of_run(run: Run) -> ArtifactFolder:
    """The files of a run that was fetched with its experiment."""
    return replace(_below(run.experiment, run.run_id, _FILES), run_id=run.run_id)


def folder_of_logged_model(model: LoggedModel) -> ArtifactFolder:
    """The files of a logged model that was fetched with its experiment."""
    return replace(_below(model.experiment, _MODELS, model.model_id, _FILES), run_id=model.source_run_id)


def folder_of_experiment(experiment: Experiment) -> ArtifactFolder:
    """All files of an experiment, for counting and for emptying the trash."""
    return _below(experiment)


def folder_at(uri: str) -> ArtifactFolder:
    """A folder by its address, for emptying the trash: `mlflow-artifacts:/7/…` or `s3://bucket/…`."""
    parts = urlsplit(uri)
    path = ArtifactPath.parse(parts.path.strip("/"))
    store = store_at(parts.netloc, "") if parts.scheme == "s3" else own_store()
    return ArtifactFolder(store, path, uri)


def resolve(actor: Actor, path: ArtifactPath, level: Level) -> tuple[ArtifactFolder, ArtifactPath]:
    """The folder that a path of the proxied store lies in, and the rest of the path, if the actor has the level there.

    Raises `NotFound` and `PermissionDenied`; administrators get the whole store for what is nobody's folder.
    """
    found = _owned(actor, path.segments, level)
    if found is not None:
        return found
    require_admin(actor)
    return ArtifactFolder(own_store(), ROOT, "mlflow-artifacts:/"), path


def _owned(actor: Actor, segments: tuple[str, ...], level: Level) -> tuple[ArtifactFolder, ArtifactPath] | None:
    match segments:
        case (experiment_id, "models", model_id, "artifacts", *rest):
            get_model = access.get_logged_model
            model = _known(actor, lambda: get_model(actor, model_id, level, also_deleted=True), experiment_id)
            return (folder_of_logged_model(model), ArtifactPath(tuple(rest))) if model else None
        case (experiment_id, run_id, "artifacts", *rest):
            run = _known(actor, lambda: access.get_run(actor, run_id, level), experiment_id)
            return (folder_of_run(run), ArtifactPath(tuple(rest))) if run else None
        case _:
            return None


def _known(actor: Actor, fetch: Callable[[], Owner], experiment_id: str) -> Owner | None:
    """The run or model if it is one of that experiment. None for an administrator where there is none."""
    try:
        found = fetch()
        if str(found.experiment_id) != experiment_id:
            raise NotFound("No such artifact folder.")
    except NotFound:
        if actor.is_admin:
            return None
        raise
    return found


def _below(experiment: Experiment, *segments: str) -> ArtifactFolder:
    uri = "/".join((experiment.artifact_root, *segments))
    if not experiment.artifact_location:
        return ArtifactFolder(own_store(), ArtifactPath((str(experiment.pk), *segments)), uri)
    parts = urlsplit(experiment.artifact_location)
    return ArtifactFolder(store_at(parts.netloc, parts.path.strip("/")), ArtifactPath(segments), uri)
