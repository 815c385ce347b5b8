"""Whose folder a path lies in, and so who may read and write there.

The protocol's clients name files as `<experiment id>/<run id>/artifacts/<path>` or
`<experiment id>/models/<model id>/artifacts/<path>`. All else in the store is the administrators'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from threading import get_ident
from typing import TypeVar
from urllib.parse import urlsplit

from django.db import connection

from apps.accounts.access import require_admin
from apps.core.actor import Actor, Level, Scope
from apps.core.errors import Conflict, InvalidInput, NotFound, PermissionDenied
from apps.core.paths import ArtifactPath
from apps.experiments import access, holds, lending
from apps.experiments.artifacts.store import Entry, Source, Store, own_store, store_at
from apps.experiments.holds import Things
from apps.experiments.models import Experiment, LoggedModel, Run

Owner = TypeVar("Owner", Run, LoggedModel)
ROOT = ArtifactPath(())
_FILES = "artifacts"
_MODELS = "models"
_STORE_URI = "mlflow-artifacts:/"
_WHOLE_STORE = Things(around=_STORE_URI)


@dataclass(frozen=True, slots=True)
class ArtifactFolder:
    """The files of one run or logged model. Paths are relative to it; whoever holds it has been let in."""

    store: Store
    root: ArtifactPath
    # As the protocol writes it.
    uri: str
    run_id: str = ""
    # Whose files they are, for asking what holds them. None: nothing can, since what they belonged to is gone.
    things: Things | None = None

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
        """Keep a file, whole or not at all. Raises `Conflict` where something is in the way, or holds it."""
        self.require_writable(path)
        self.store.write(self._at(path), CheckedAtEnd(source, lambda: self.require_writable(path)), length)

    def delete(self, path: ArtifactPath = ROOT) -> bool:
        """Remove a file, or a folder with all in it; whether there was one. Raises `Conflict` where it is held."""
        things = self._things_at(path)
        if things is not None:
            holds.require_free(things, "deleted")
        return self.store.delete(self._at(path))

    def require_writable(self, path: ArtifactPath) -> None:
        """Raise `Conflict` where a file is held: below what a version is made of, or where it would be overwritten."""
        things = self._things_at(path)
        hold = holds.find_hold(replace(things, writes=True)) if things is not None else None
        if hold is not None and (hold.covers("/".join((self.uri.rstrip("/"), *path.segments))) or self.exists(path)):
            raise Conflict(f"'{path}' can't be written now: {hold.reason}")

    def usage(self) -> tuple[int, int]:
        """How many files there are, and their bytes."""
        return self.store.usage(self.root)

    def key(self, path: ArtifactPath) -> ArtifactPath:
        """Where `path` lies in the store."""
        return self._at(path)

    def _at(self, path: ArtifactPath) -> ArtifactPath:
        return self.root.joined(path)

    def _things_at(self, path: ArtifactPath) -> Things | None:
        return Things(around=f"{self.uri}{path}") if self.things == _WHOLE_STORE else self.things


class CheckedAtEnd:
    """What a source gives; when all of it has come, it is asked once more whether it may be kept.

    A body can take hours, and what it would replace may have come into production meanwhile.
    """

    def __init__(self, source: Source, check: Callable[[], None]) -> None:
        self._source, self._check = source, check
        self._thread, self._in_transaction = get_ident(), connection.in_atomic_block

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes; whatever the check raises, at the end."""
        chunk = self._source.read(size)
        if not chunk and size:
            self._ask()
        return chunk

    def _ask(self) -> None:
        if get_ident() == self._thread:
            self._check()
        elif not self._in_transaction:
            # A bucket's client reads in threads of its own; nobody else would close what they open.
            try:
                self._check()
            finally:
                connection.close()


def folder_of_run(run: Run) -> ArtifactFolder:
    """The files of a run that was fetched with its experiment."""
    things = Things(runs=(run.pk,))
    return replace(_below(run.experiment, run.run_id, _FILES), run_id=run.run_id, things=things)


def folder_of_logged_model(model: LoggedModel) -> ArtifactFolder:
    """The files of a logged model that was fetched with its experiment."""
    things = Things(models=(model.pk,))
    folder = _below(model.experiment, _MODELS, model.model_id, _FILES)
    return replace(folder, run_id=model.source_run_id, things=things)


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

    Raises `NotFound` and `PermissionDenied`; administrators get the whole store for what is nobody's folder. Who may
    not read there may still read what is lent; tokens that are no good for tracking read that alone.
    """
    try:
        _require_tracking(actor, level)
        found = _owned(actor, path.segments, level)
        if found is not None:
            return found
        require_admin(actor)
    except (NotFound, PermissionDenied):
        if level is not Level.READ or not lending.is_lent(actor, f"{_STORE_URI}{path}"):
            raise
    return ArtifactFolder(own_store(), ROOT, _STORE_URI, things=_WHOLE_STORE), path


def _require_tracking(actor: Actor, level: Level) -> None:
    if not actor.may_use(Scope.TRACKING, reads=level is Level.READ, by_runs=True):
        raise PermissionDenied("Permission denied: the scope of this token reaches the files of model versions alone.")


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
