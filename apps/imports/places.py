"""Where a source's files lie, and which of them may be read.

A store says of each run where its files are, and a store is somebody else's data: one that named `/etc` would have it
copied to where a team reads it. So files are read below folders alone that lie beside the store or that whoever imports
has named, without following links; what the store calls them is a name for one of these folders and no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from django.conf import settings

from apps.core.errors import InvalidInput
from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.disk import DiskStore
from apps.experiments.artifacts.store import Store, store_at

_DEEPEST = 64


class Tree(Protocol):
    """The files of one run or logged model."""

    def files(self) -> Iterator[tuple[str, int]]:
        """All of them, anywhere below: path and size."""

    def read(self, path: str) -> Iterator[bytes]:
        """The content of one, in chunks."""


class Trees(Protocol):
    """How to come to them. `uri` is the source's own word."""

    def of_run(self, run_id: str, uri: str) -> Tree: ...

    def of_model(self, model_id: str, uri: str) -> Tree: ...


@dataclass(frozen=True, slots=True)
class Root:
    """A folder of this machine or of a bucket that may be read."""

    text: str
    store: Store

    @classmethod
    def parse(cls, text: str) -> Root:
        """Raises `InvalidInput`: no such folder, or one that holds the server's own data."""
        if text.startswith("s3://"):
            parts = urlsplit(text)
            return cls(text.rstrip("/"), store_at(parts.netloc, parts.path.strip("/")))
        path = Path(_local(text)).expanduser().resolve()
        if not path.is_dir():
            raise InvalidInput(f"--artifacts: there is no folder {path}.")
        home = Path(settings.DATA.root).resolve()
        if path.is_relative_to(home) or home.is_relative_to(path):
            raise InvalidInput(f"--artifacts: {path} holds Slipway's own data.")
        return cls(str(path), DiskStore(path, path))

    def has(self, segments: Sequence[str]) -> bool:
        """Whether there is such a folder in it."""
        found = self.store.stat(ArtifactPath(tuple(segments)))
        return found is not None and found.is_dir


class StoreTree:
    """A folder of a store of ours: the disk's follows no links."""

    def __init__(self, store: Store, folder: ArtifactPath) -> None:
        self._store, self._folder = store, folder

    def files(self) -> Iterator[tuple[str, int]]:
        """By path."""
        return self._below(())

    def read(self, path: str) -> Iterator[bytes]:
        """Raises `NotFound`."""
        where = self._folder.joined(ArtifactPath(tuple(path.split("/"))))
        found = self._store.stat(where)
        return self._store.read(where, 0, found.size if found else 0)

    def _below(self, segments: tuple[str, ...]) -> Iterator[tuple[str, int]]:
        for entry in self._store.list(self._folder.joined(ArtifactPath(segments))):
            inner = (*segments, entry.path)
            if not entry.is_dir:
                yield "/".join(inner), entry.size
            elif len(inner) < _DEEPEST:
                yield from self._below(inner)


class Places:
    """For each beginning of the source's addresses, the folder that stands for it."""

    def __init__(self, roots: Mapping[str, Root]) -> None:
        self._roots = dict(sorted(roots.items(), key=lambda item: -len(item[0])))

    def of_run(self, run_id: str, uri: str) -> Tree:
        """Raises `InvalidInput` for an address that begins like none."""
        return self._at(uri)

    def of_model(self, model_id: str, uri: str) -> Tree:
        """Raises `InvalidInput` for an address that begins like none."""
        return self._at(uri)

    def _at(self, uri: str) -> Tree:
        address = normal(uri)
        for prefix, root in self._roots.items():
            if _is_below(address, prefix):
                segments = tuple(part for part in address[len(prefix) :].split("/") if part)
                if any(set(part) == {"."} for part in segments):
                    break
                return StoreTree(root.store, ArtifactPath(segments))
        raise InvalidInput(f"its files are said to be at {uri[:200]}, which is in no folder that was named")


def normal(uri: str) -> str:
    """An address without the ways to write the same: `file://`, the host of a proxy, a slash at the end."""
    if uri.startswith("mlflow-artifacts:"):
        return f"mlflow-artifacts:/{urlsplit(uri).path.strip('/')}".rstrip("/")
    return _local(uri).rstrip("/")


def find_places(locations: Iterable[tuple[str, str]], roots: Sequence[str], beside: Sequence[Path]) -> Places:
    """What stands for the locations of experiments, given with their old ids; only those that hold something.

    `roots` are named by who imports, as FOLDER or OLD=FOLDER; `beside` are folders next to the store, where they exist.
    Raises `InvalidInput`, which names what is missing, before anything is brought over.
    """
    named = {normal(old): Root.parse(new) for old, _, new in (text.rpartition("=") for text in roots) if old}
    open_roots = [Root.parse(text) for text in roots if "=" not in text]
    open_roots += [Root.parse(str(path)) for path in beside if path.is_dir()]
    places = named | {root.text: root for root in open_roots}
    missing: dict[str, None] = {}
    for location, old_id in locations:
        address = normal(location)
        prefix = address.removesuffix(f"/{old_id}") if address.endswith(f"/{old_id}") else address
        if any(_is_below(address, known) for known in places):
            continue
        root = _standing_for(prefix, old_id, open_roots)
        if root is None:
            missing[prefix] = None
        else:
            places[prefix] = root
    still = [prefix for prefix in missing if not any(_is_below(prefix, known) for known in places)]
    if still:
        raise InvalidInput(
            f"Files lie at {', '.join(still[:5])}. Say where to read them: --artifacts FOLDER (or {still[0]}=FOLDER, "
            "where it lies elsewhere now), or leave all files out with --no-artifacts."
        )
    return Places(places)


def _standing_for(prefix: str, old_id: str, roots: Sequence[Root]) -> Root | None:
    """The only root, for what a server kept; else one with a folder of the experiment's old id, as in a moved store."""
    if prefix.startswith("mlflow-artifacts:") and len(roots) == 1:
        return roots[0]
    return next((root for root in roots if root.has((old_id,))), None)


def _is_below(address: str, prefix: str) -> bool:
    return address == prefix or address.startswith(f"{prefix.rstrip('/')}/")


def _local(uri: str) -> str:
    return unquote(urlsplit(uri).path) if uri.startswith("file:") else uri
