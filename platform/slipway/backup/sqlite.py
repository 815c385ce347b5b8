"""SQLite: a copy by its backup API, which is a snapshot while others write."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from django.db import connection as configured

from slipway.backup import facts
from slipway.backup.archive import PIECE, Writer
from slipway.backup.failures import Damaged
from slipway.backup.manifest import Database
from slipway.backup.progress import Progress

VENDOR = "sqlite"


def file_here() -> Path:
    """The database's file."""
    return Path(configured.settings_dict["NAME"])


def save(file: Path, drafts: Path, writer: Writer, progress: Progress) -> Database:
    """Put a copy of the database into the archive; it lies in `drafts` meanwhile."""
    drafts.mkdir(mode=0o700, parents=True, exist_ok=True)
    copy = drafts / f"{secrets.token_hex(16)}.part"
    try:
        _copy(file, copy)
        with closing(sqlite3.connect(copy)) as connection:
            cursor = connection.cursor()
            known = facts.migrations(cursor), facts.audit_head(cursor), facts.counts(cursor)
        part = writer.add("database/slipway.db", copy.stat().st_size, progress.watch(_read(copy)))
    finally:
        for left in (copy, *(copy.with_name(f"{copy.name}{end}") for end in ("-wal", "-shm", "-journal"))):
            left.unlink(missing_ok=True)
    return Database(VENDOR, 0, [part], *known)


def is_empty(file: Path) -> bool:
    """Whether there is no database, or one without tables."""
    if not file.exists():
        return True
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]) == 0


def load(file: Path, pieces: Iterable[bytes]) -> None:
    """Put a database in its place, when all of it is there and SQLite finds nothing wrong with it."""
    draft = file.with_name(f"{file.name}.part")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb", buffering=0) as out:
            for piece in pieces:
                out.write(piece)
            os.fsync(out.fileno())
        with closing(sqlite3.connect(draft)) as connection:
            if connection.execute("PRAGMA quick_check").fetchall() != [("ok",)]:
                raise Damaged("The database in the backup is damaged: SQLite finds faults in it.")
        for end in ("-wal", "-shm"):
            file.with_name(f"{file.name}{end}").unlink(missing_ok=True)
        draft.replace(file)
    finally:
        for end in ("", "-wal", "-shm"):
            draft.with_name(f"{draft.name}{end}").unlink(missing_ok=True)


def _copy(file: Path, copy: Path) -> None:
    os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        # All pages in one step: else the copy begins anew whenever somebody writes in between.
        source.backup(target, pages=-1)


def _read(file: Path) -> Iterator[bytes]:
    with file.open("rb", buffering=0) as opened:
        while piece := opened.read(PIECE):
            yield piece
