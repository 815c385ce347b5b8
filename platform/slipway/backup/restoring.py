"""Restoring. Files first and the database last: until all else is there and checked, nothing can be started from it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from django.apps import apps
from django.conf import settings
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from apps.audit.heads import Head, is_in_chain, kept_head
from apps.audit.sealing import seal_pending
from apps.audit.verification import Verification
from slipway.backup import postgres, sqlite
from slipway.backup.archive import Reader
from slipway.backup.checking import in_order
from slipway.backup.crossing import Sending
from slipway.backup.failures import BackupError, Damaged, Refused
from slipway.backup.manifest import Content, File, Manifest
from slipway.backup.places import store_called
from slipway.backup.progress import Progress
from slipway.backup.stores import FileStore, Found, is_canonical

_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def check_target(manifest: Manifest, *, resume: bool) -> None:
    """Raises `Refused` where this backup can't come here, before anything is changed."""
    if manifest.database.vendor != connection.vendor:
        here, there = _NAMES[connection.vendor], _NAMES.get(manifest.database.vendor, manifest.database.vendor)
        raise Refused(f"The backup is of {there}, and DATABASE_URL names {here}: a backup goes into what it came from.")
    _refuse_newer(manifest)
    if connection.vendor == postgres.VENDOR:
        postgres.check_client(manifest.database.major)
    if has_database():
        raise Refused("The database is not empty: a backup is restored into a new one.")
    for store in manifest.stores:
        files = store_called(store.store)
        if not resume and next(files.walk(), None) is not None:
            raise Refused(f"There are files in {files.name} already. --resume keeps those that are as in the backup.")


def has_database() -> bool:
    """Whether there are tables already."""
    return not (postgres.is_empty() if connection.vendor == postgres.VENDOR else sqlite.is_empty(sqlite.file_here()))


def _refuse_newer(manifest: Manifest) -> None:
    ours = {config.label for config in apps.get_app_configs() if config.name.startswith("apps.")}
    known = MigrationLoader(None).disk_migrations or {}
    names = {f"{app}.{name}" for app, name in known}
    unknown = [name for name in manifest.database.migrations if name.partition(".")[0] in ours and name not in names]
    if unknown or _release(manifest.version) > _release(settings.SLIPWAY_VERSION):
        raise Refused(
            f"The backup is of Slipway {manifest.version}, which is newer than this {settings.SLIPWAY_VERSION}: "
            "install that release, or a later one, first."
        )


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:3])


@dataclass(slots=True)
class Restoring:
    """One restore. `readers` are the archives in the manifest's order."""

    readers: Sequence[Reader]
    progress: Progress
    resume: bool = False
    kept: int = 0
    written: list[tuple[FileStore, str]] = field(default_factory=list)

    @property
    def manifest(self) -> Manifest:
        """That of the archive that was asked for."""
        return self.readers[0].manifest

    def run(self) -> None:
        """Everything into its place. What this wrote is taken away again where the archive turns out to be damaged."""
        try:
            self._restore_files()
            self._restore_database()
        except Damaged:
            self.undo()
            raise

    def undo(self) -> None:
        """Remove the files that this wrote."""
        for store, path in reversed(self.written):
            store.remove(path)
        self.written.clear()

    def _restore_files(self) -> None:
        for store in self.manifest.stores:
            files = store_called(store.store)
            wanted = [file for file in store.files if not self._is_there(files, file)]
            for number, reader in enumerate(self.readers):
                self._write(files, reader, [file for file in wanted if file.content.spot.archive == number])
            files.settle()

    def _is_there(self, files: FileStore, file: File) -> bool:
        """Whether an earlier try, or nothing that went wrong, has put it there."""
        if not is_canonical(file.path):
            raise Damaged(f"The backup names a file that no Slipway wrote: {file.path!r}.")
        opened = files.open(file.path) if self.resume else None
        if opened is None:
            return False
        if opened.found.size != file.content.size or _digest(opened.pieces) != file.content.sha256:
            raise BackupError(f"{files.name} has another file at {file.path}: nothing is overwritten.")
        self.kept += 1
        self.progress.add(file.content.size)
        return True

    def _write(self, files: FileStore, reader: Reader, wanted: list[File]) -> None:
        wanted.sort(key=lambda file: in_order(file.content))
        contents = reader.contents(file.content for file in wanted)
        with Sending(files) as sending:
            for file, (content, pieces) in zip(wanted, contents, strict=True):
                found = Found(file.path, content.size, file.tag, file.modified_ms)
                self.written.append((files, file.path))
                sending.write(file.path, self.progress.watch(pieces), found)

    def _restore_database(self) -> None:
        parts = self.readers[0].contents(self.manifest.database.parts)
        if connection.vendor == postgres.VENDOR:
            # A part is given on when its checksum was right.
            postgres.load(self.progress.watch(b"".join(pieces) for _, pieces in parts))
        else:
            connections.close_all()
            sqlite.load(sqlite.file_here(), self.progress.watch(_all(parts)))


def pending_migrations() -> bool:
    """Whether the backup was of an older release, so that `slipway migrate` comes next."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def verify_audit_log(manifest: Manifest) -> tuple[int, list[str]]:
    """How many sealed events there are, and what does not fit; the chain has to reach to the head that was saved."""
    head = Head.parse(manifest.database.audit_head) if manifest.database.audit_head else None
    seal_pending(thorough=True)
    verification = Verification([head] if head else [])
    findings = [str(finding) for finding in verification.findings()]
    return verification.checked, findings


def later_head() -> Head | None:
    """The head that this data folder knows of, where what led to it is not in the backup."""
    kept = kept_head()
    return kept if kept and not is_in_chain(kept) else None


def _all(parts: Iterable[tuple[Content, Iterator[bytes]]]) -> Iterator[bytes]:
    for _, pieces in parts:
        yield from pieces


def _digest(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()
