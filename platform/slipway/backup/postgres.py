"""PostgreSQL: its own dump, of one snapshot, which passes through and lies nowhere on its way."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from django.db import connection, transaction
from psycopg.conninfo import make_conninfo

from slipway.backup import facts
from slipway.backup.archive import Writer
from slipway.backup.failures import BackupError, Refused
from slipway.backup.manifest import Content, Database
from slipway.backup.progress import Progress

VENDOR = "postgresql"
# The tar wants sizes before contents, and nobody knows how long a dump will be.
_PART = 8 * 1024 * 1024
_OF_DJANGO = {"pool", "server_side_binding", "isolation_level", "assume_role"}
_EMPTY = "SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_tables WHERE schemaname = ANY(current_schemas(false)))"


def save(writer: Writer, progress: Progress) -> Database:
    """Put a dump into the archive."""
    major = check_dumping()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        known = facts.migrations(cursor), facts.audit_head(cursor), facts.counts(cursor)
        cursor.execute("SELECT pg_export_snapshot()")
        # Before the first statement of a dump nothing is locked, and the snapshot holds as long as this transaction.
        parts = _dump(str(cursor.fetchone()[0]), writer, progress)
    return Database(VENDOR, major, parts, *known)


def check_dumping() -> int:
    """The version of pg_dump. Raises `Refused` where it is missing, or older than the server."""
    major = _client("pg_dump")
    server = connection.get_database_version()[0]
    if major < server:
        raise Refused(f"pg_dump is of version {major}, and PostgreSQL of {server}: install the client of {server}.")
    return major


def is_empty() -> bool:
    """Whether there are no tables."""
    with connection.cursor() as cursor:
        cursor.execute(_EMPTY)
        return bool(cursor.fetchone()[0])


def check_client(made_by: int) -> None:
    """Raises `Refused` where a dump can't be read here."""
    major = _client("pg_restore")
    if major < made_by:
        raise Refused(f"pg_restore is of version {major}, and the dump of {made_by}: install the client of {made_by}.")


def load(pieces: Iterable[bytes]) -> None:
    """Put a dump into the database, all of it or nothing.

    `pieces` are checked before they are given here: one that fails ends the transaction.
    """
    command = ["pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    # Ours is closed first: who restores must not wait for a reader.
    connection.close()
    with _running([*command, "--dbname", _conninfo()], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None  # noqa: S101 - it was asked for
        try:
            for piece in pieces:
                process.stdin.write(piece)
            process.stdin.close()
        except BrokenPipeError:
            # It says why.
            pass


def _dump(snapshot: str, writer: Writer, progress: Progress) -> list[Content]:
    command = ["pg_dump", "--format=custom", "--compress=0", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"]
    parts: list[Content] = []
    with _running([*command, "--dbname", _conninfo()], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101 - it was asked for
        while piece := _part(process.stdout):
            name = f"database/postgresql.dump.{len(parts) + 1:06}"
            parts.append(writer.add(name, len(piece), progress.watch([piece])))
    return parts


def _part(stream: IO[bytes]) -> bytes:
    """As much as a part holds; less at the end alone."""
    return stream.read(_PART)


@contextmanager
def _running(command: list[str], **pipes: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A program of PostgreSQL. Raises `BackupError` with its own words where it fails; it ends with the block."""
    environment = {**os.environ, "PGPASSWORD": connection.settings_dict["PASSWORD"] or os.environ.get("PGPASSWORD", "")}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=environment, stderr=said, **pipes)
        try:
            yield process
        except BaseException:
            process.kill()
            process.wait()
            raise
        if process.wait():
            said.seek(0)
            raise BackupError(f"{command[0]} failed: {_first_line(said.read())}")


def _first_line(said: bytes) -> str:
    text = said.decode(errors="replace").strip()
    line = next((line for line in text.splitlines() if "error:" in line), text.partition("\n")[0])
    return re.sub(r"^pg_\w+: (?:error: )?", "", line)


def _conninfo() -> str:
    """How to connect; the password goes another way, since command lines are open to all."""
    given = connection.settings_dict
    options = {name: value for name, value in given["OPTIONS"].items() if name not in _OF_DJANGO}
    named = {"dbname": given["NAME"], "user": given["USER"], "host": given["HOST"], "port": given["PORT"]}
    return make_conninfo(**options, **{name: value for name, value in named.items() if value})


def _client(program: str) -> int:
    """Its major version."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        return int(re.findall(r"\) (\d+)", said)[0])
    except (OSError, subprocess.CalledProcessError, IndexError) as error:
        raise Refused(f"{program} is not here: install PostgreSQL's client programs (postgresql-client).") from error
