"""What an archive says of itself: the head at its begin, and the manifest at its end."""

from __future__ import annotations

import msgspec

from slipway.backup.encryption import Lock

FORMAT = 1


class Head(msgspec.Struct, frozen=True, omit_defaults=True):
    """Read before anything else, and never encrypted."""

    format: int
    id: str
    lock: Lock | None = None


class Spot(msgspec.Struct, frozen=True):
    """Where some bytes lie: in which archive, in which frame of it, and how far into what comes out of that frame."""

    archive: int
    frame: int
    at: int


class Content(msgspec.Struct, frozen=True):
    """Some bytes and their checksum (SHA-256)."""

    size: int
    sha256: str
    spot: Spot


class File(msgspec.Struct, frozen=True):
    """A file by its path in its store. `tag` is what the store gives another of when the content is replaced."""

    path: str
    tag: str
    modified_ms: int
    content: Content


class Files(msgspec.Struct, frozen=True):
    """The files of one store: the server's own, whose `store` is empty, or `s3://bucket/prefix`."""

    store: str
    files: list[File]


class Database(msgspec.Struct, frozen=True):
    """What was dumped; the rest are facts of the same snapshot."""

    vendor: str
    # As the dump's own tool counts; 0 for SQLite.
    major: int
    parts: list[Content]
    # `app.name` of each.
    migrations: list[str]
    # The newest head of the audit chain, `SEQUENCE:DIGEST`, or empty.
    audit_head: str
    counts: dict[str, int]


class Source(msgspec.Struct, frozen=True):
    """An archive that content lies in. The first is the one that says so."""

    id: str
    name: str


class Manifest(msgspec.Struct, frozen=True):
    """All that an archive holds, and what it was made by."""

    version: str
    created: str
    archives: list[Source]
    database: Database
    stores: list[Files]
    # A keyed hash by which the same SLIPWAY_SECRET_KEY is known again, and the key itself where it was taken along.
    key_check: str
    secret_key: str = ""

    @property
    def count(self) -> int:
        """How many files."""
        return sum(len(store.files) for store in self.stores)

    @property
    def bytes(self) -> int:
        """Of the files and of the database, in the clear."""
        files = sum(file.content.size for store in self.stores for file in store.files)
        return files + sum(part.size for part in self.database.parts)
