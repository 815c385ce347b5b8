"""The files of one run or logged model at a server, through its proxy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from urllib.parse import urlsplit

from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.folders import ArtifactFolder
from apps.experiments.artifacts.store import Entry
from apps.exports.server.calls import Calls
from apps.exports.targets import BadTarget
from apps.imports.sources.rest_client import tree_of_model, tree_of_run


class ServerFiles:
    """`uri` is what the server calls their folder."""

    def __init__(self, calls: Calls, uri: str, *, run_id: str = "", model_id: str = "") -> None:
        self._calls, self._uri = calls, uri
        self._tree = tree_of_run(calls, run_id) if run_id else tree_of_model(calls, model_id)

    def has(self, path: str, entry: Entry) -> bool:
        """By size: of times a server says nothing."""
        return self._sizes.get(path) == entry.size

    def put(self, path: str, entry: Entry, folder: ArtifactFolder) -> None:
        """Raises `Refused`, and `BadTarget` where the server's files are not reached through it."""
        if not self._uri.startswith("mlflow-artifacts:"):
            raise BadTarget(
                f"{self._calls.url} keeps files at {self._uri[:200]}, where it does not put them itself: it wants "
                "--serve-artifacts, or leave all files out with --no-artifacts."
            )
        place = f"{urlsplit(self._uri).path.strip('/')}/{path}"
        self._calls.upload(place, entry.size, lambda: folder.open(ArtifactPath.parse(path), 0, entry.size))

    def sizes(self) -> Mapping[str, int]:
        """As they are now."""
        self.__dict__.pop("_sizes", None)
        return self._sizes

    def read(self, path: str) -> Iterator[bytes]:
        """In chunks."""
        return self._tree.read(path)

    @cached_property
    def _sizes(self) -> dict[str, int]:
        return dict(self._tree.files())
