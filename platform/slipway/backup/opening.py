"""Finding archives: a path or an address of S3, and those that an incremental one builds on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from slipway.backup import s3
from slipway.backup.archive import Reader
from slipway.backup.failures import Refused
from slipway.backup.media import FileMedium, FileSink, Medium, Sink


def sink_at(place: str, endpoint: str | None) -> Sink:
    """Where a new archive goes. Raises `Refused` where there is one already."""
    if place.startswith("s3://"):
        s3.split(place)
        return s3.ObjectSink(s3.client(endpoint), place, {})
    return FileSink(Path(place).expanduser())


def name_of(place: str) -> str:
    """The last part of a path or address."""
    return place.rstrip("/").rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Opener:
    """How archives are read: with which passphrase, and where buckets are."""

    passphrase: bytes | None = None
    endpoint: str | None = None

    def open(self, place: str) -> Reader:
        """An archive with its manifest."""
        medium: Medium
        if place.startswith("s3://"):
            medium = s3.ObjectMedium(s3.client(self.endpoint), place)
        else:
            medium = FileMedium(Path(place).expanduser())
        return Reader(medium, self.passphrase)


def open_all(opener: Opener, place: str, others: list[str]) -> list[Reader]:
    """The archive at `place`, and those that its files lie in: of `others`, or beside it under the names they had.

    Raises `Refused` where one isn't found.
    """
    first = opener.open(place)
    given = {reader.head.id: reader for reader in (opener.open(other) for other in others)}
    readers = [first]
    for source in first.manifest.archives[1:]:
        reader = given.get(source.id) or _beside(opener, place, source.name)
        if reader is None or reader.head.id != source.id:
            raise Refused(f"{first.name} builds on {source.name}, which is not beside it: name it with --with.")
        readers.append(reader)
    return readers


def _beside(opener: Opener, place: str, name: str) -> Reader | None:
    folder = place[: len(place) - len(name_of(place))]
    try:
        return opener.open(f"{folder}{name}")
    except Refused:
        return None
