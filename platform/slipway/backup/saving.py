"""Saving. The database first, in one snapshot, and the files after it.

Whatever a row of the snapshot names was in its store before, for a file is written before the row that names it. What
comes in between is saved too, and no row misses it; what is deleted in between is what somebody wanted to be rid of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection
from msgspec.structs import replace

from apps.audit.sealing import seal_pending
from slipway.backup import keys, postgres, sqlite
from slipway.backup.archive import Writer
from slipway.backup.crossing import opened
from slipway.backup.failures import Refused
from slipway.backup.manifest import Database, File, Files, Manifest, Source
from slipway.backup.places import refuse_inside, stores_here
from slipway.backup.progress import Progress
from slipway.backup.stores import FileStore, Found, Opened


@dataclass(slots=True)
class Before:
    """The backup before this one: what it has need not be saved again."""

    archives: list[Source] = field(default_factory=list)
    files: dict[tuple[str, str], File] = field(default_factory=dict)

    @classmethod
    def of(cls, manifest: Manifest) -> Before:
        """What an archive holds, or says where it lies."""
        files = {(store.store, file.path): file for store in manifest.stores for file in store.files}
        return cls(list(manifest.archives), files)


@dataclass(slots=True)
class Saved:
    """What was done."""

    manifest: Manifest
    written: int


def save(writer: Writer, name: str, before: Before, *, with_key: bool, progress: Progress) -> Saved:
    """Write the whole archive. `name` is what later ones will look for it by."""
    key = keys.of_folder(settings.DATA) if with_key else ""
    # So that the head of the chain, which goes along, vouches for all that was recorded before.
    seal_pending(thorough=True)
    database = _save_database(writer, progress)
    saving = _Saving(writer, before, progress)
    stores = [Files(store, saving.save(store, files)) for store, files in stores_here()]
    manifest = Manifest(
        version=settings.SLIPWAY_VERSION,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        archives=[Source(writer.id, name), *before.archives],
        database=database,
        stores=stores,
        key_check=keys.check_of(settings.SECRET_KEY),
        secret_key=key,
    )
    manifest = _without_unused(manifest)
    writer.close(manifest)
    return Saved(manifest, saving.written)


def check_source(place: str) -> None:
    """Raises `Refused` where there is nothing to save, or the archive would lie in it."""
    is_there = connection.vendor != sqlite.VENDOR or sqlite.file_here().exists()
    if not is_there or "django_migrations" not in connection.introspection.table_names():
        raise Refused("There is no database to save: run `slipway up` or `slipway migrate` first.")
    refuse_inside(place)


def _save_database(writer: Writer, progress: Progress) -> Database:
    if connection.vendor == postgres.VENDOR:
        return postgres.save(writer, progress)
    return sqlite.save(sqlite.file_here(), settings.DATA.uploads, writer, progress)


@dataclass(slots=True)
class _Saving:
    writer: Writer
    before: Before
    progress: Progress
    written: int = 0

    def save(self, store: str, files: FileStore) -> list[File]:
        """All files of a store."""
        kept: list[File] = []
        changed = self._changed(store, files, kept)
        written = [self._one(store, files, each) for each in opened(files, changed)]
        return [*filter(None, written), *kept]

    def _changed(self, store: str, files: FileStore, kept: list[File]) -> Iterator[Found]:
        """What may be new; the others go to `kept`."""
        for found in files.walk():
            known = self.before.files.get((store, found.path))
            if known is not None and known.tag == found.tag:
                kept.append(_moved(known))
            else:
                yield found

    def _one(self, store: str, files: FileStore, file: Opened) -> File | None:
        known = self.before.files.get((store, file.found.path))
        if known is None or known.content.size != file.found.size:
            return self._write(store, file)
        # It has another tag after a restore, and may be the same.
        if _digest(file.pieces) == known.content.sha256:
            return replace(_moved(known), tag=file.found.tag, modified_ms=file.found.modified_ms)
        again = files.open(file.found.path)
        return self._write(store, again) if again else None

    def _write(self, store: str, file: Opened) -> File:
        found = file.found
        # A store besides our own is called by its address, whose colon and slashes are no names of folders.
        folder = "files" if not store else f"stores/{store.removeprefix('s3://')}"
        content = self.writer.add(f"{folder}/{found.path}", found.size, self.progress.watch(file.pieces))
        self.written += 1
        return File(found.path, found.tag, found.modified_ms, content)


def _moved(file: File) -> File:
    """As it is named in an archive that comes after: one further back."""
    return _at(file, file.content.spot.archive + 1)


def _at(file: File, archive: int) -> File:
    spot = replace(file.content.spot, archive=archive)
    return replace(file, content=replace(file.content, spot=spot))


def _digest(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _without_unused(manifest: Manifest) -> Manifest:
    """Archives that nothing is read from any more need not be kept for this one."""
    used = {0} | {file.content.spot.archive for store in manifest.stores for file in store.files}
    places = {old: new for new, old in enumerate(sorted(used))}
    stores = [
        Files(store.store, [_at(file, places[file.content.spot.archive]) for file in store.files])
        for store in manifest.stores
    ]
    return replace(manifest, archives=[manifest.archives[old] for old in places], stores=stores)
