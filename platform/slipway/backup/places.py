"""The stores of this installation: its own, and the buckets that experiments keep their files in besides."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from apps.experiments.artifacts.s3 import S3Store
from apps.experiments.models import Experiment
from slipway.backup.failures import Refused
from slipway.backup.s3 import BucketFiles
from slipway.backup.stores import DiskFiles, FileStore


def stores_here() -> Iterator[tuple[str, FileStore]]:
    """Each with its name in archives: the server's own is empty."""
    yield "", store_called("")
    for location in _locations():
        yield location, store_called(location)


def store_called(name: str) -> FileStore:
    """A store by its name in archives."""
    if name:
        bucket, _, prefix = name.removeprefix("s3://").partition("/")
        return _bucket(bucket, prefix)
    if settings.ARTIFACT_BUCKET:
        return _bucket(settings.ARTIFACT_BUCKET, settings.ARTIFACT_PREFIX)
    return DiskFiles(settings.DATA.artifacts.resolve(), settings.DATA.uploads)


def refuse_inside(place: str) -> None:
    """Raises `Refused` for an archive that would lie in what it saves."""
    whole = place if place.startswith("s3://") else str(Path(place).expanduser().resolve())
    for _, store in stores_here():
        if whole.startswith(f"{store.name}/"):
            raise Refused(f"{place} lies in {store.name}, which is saved: choose another place.")


def _bucket(bucket: str, prefix: str) -> FileStore:
    store = S3Store(bucket, prefix)
    return BucketFiles(store.client, bucket, prefix, store.extra)


def _locations() -> list[str]:
    """Places of experiments outside of our own store; one that lies in another is saved with that."""
    own = f"s3://{settings.ARTIFACT_BUCKET}/{settings.ARTIFACT_PREFIX}".rstrip("/") if settings.ARTIFACT_BUCKET else ""
    named = Experiment.objects.filter(artifact_location__startswith="s3://").order_by("artifact_location")
    found: list[str] = []
    for location in named.values_list("artifact_location", flat=True).distinct():
        place = location.rstrip("/")
        if not any(place == other or place.startswith(f"{other}/") for other in (own, *found) if other):
            found.append(place)
    return found
