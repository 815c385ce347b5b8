"""What a store of files does, whatever it is made of; `disk` and `s3` are the two there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from django.conf import settings
from django.core.signals import setting_changed

from apps.core.paths import ArtifactPath

CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder. `path` is relative to the folder it was asked of; folders have no size and no tag.

    `size` is in bytes, `modified_ms` in milliseconds since the epoch; `tag` changes with the content (an ETag).
    """

    path: str
    is_dir: bool
    size: int = 0
    modified_ms: int = 0
    tag: str = ""


class Source(Protocol):
    """Where content comes from: a request's body, an open file."""

    def read(self, size: int = ..., /) -> bytes: ...


class Store(Protocol):
    """Files by canonical path. No method follows links or leaves its root."""

    def list(self, folder: ArtifactPath) -> Sequence[Entry]:
        """What lies directly in a folder, by name; nothing for a file or what isn't there. Paths are the names."""

    def stat(self, path: ArtifactPath) -> Entry | None:
        """The file or folder, with its full path, or None."""

    def read(self, path: ArtifactPath, start: int, end: int) -> Iterator[bytes]:
        """The bytes from `start` up to, not including, `end`. Raises `NotFound` at once, not at the first chunk."""

    def write(self, path: ArtifactPath, source: Source, length: int | None) -> None:
        """Keep what `source` gives, all of it or nothing; the last of several writers wins. Raises `Conflict`.

        `length` is what the caller announced, for choosing how to send it on; None where that isn't known.
        """

    def delete(self, path: ArtifactPath) -> bool:
        """Remove a file, or a folder with all in it; whether there was one."""

    def usage(self, folder: ArtifactPath) -> tuple[int, int]:
        """How many files lie anywhere below a folder, and their bytes."""


@cache
def own_store() -> Store:
    """The server's own store, as `SLIPWAY_ARTIFACT_STORE` says: the data folder or a bucket."""
    if settings.ARTIFACT_BUCKET:
        return store_at(settings.ARTIFACT_BUCKET, settings.ARTIFACT_PREFIX)
    from apps.experiments.artifacts.disk import DiskStore

    return DiskStore(settings.DATA.artifacts, settings.DATA.uploads)


@cache
def store_at(bucket: str, prefix: str) -> Store:
    """A folder of a bucket."""
    from apps.experiments.artifacts.s3 import S3Store

    return S3Store(bucket, prefix)


def _forget(**changed: object) -> None:
    if changed["setting"] in ("DATA", "ARTIFACT_BUCKET", "ARTIFACT_PREFIX", "STORAGES"):
        own_store.cache_clear()
        store_at.cache_clear()


setting_changed.connect(_forget)
