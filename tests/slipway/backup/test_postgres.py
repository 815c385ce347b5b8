"""From one PostgreSQL database to another, while somebody writes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.servers import postgres_database, postgres_is_there
from tests.slipway.backup.installations import Installation, seeded

pytestmark = [
    pytest.mark.skipif(not postgres_is_there(), reason="PostgreSQL does not answer at SLIPWAY_TEST_POSTGRES"),
    pytest.mark.skipif(shutil.which("pg_dump") is None, reason="PostgreSQL's client programs are not installed"),
    pytest.mark.xdist_group("backup-postgres"),
]
KEY = "only-for-tests-" + "x" * 40


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with postgres_database() as url:
        yield seeded(tmp_path_factory.mktemp("here"), DATABASE_URL=url, SLIPWAY_SECRET_KEY=KEY)


@pytest.fixture(scope="module")
def archive(here: Installation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("archive") / "all.slipway"
    said = here.slipway("backup", file)
    assert "The key is not in it: keep SLIPWAY_SECRET_KEY apart from it" in said
    return file


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Installation]:
    with postgres_database() as url:
        yield Installation(tmp_path / "there", {"DATABASE_URL": url, "SLIPWAY_SECRET_KEY": KEY})


def test_all_rows_and_files_come_back(here: Installation, archive: Path, there: Installation) -> None:
    said = there.slipway("restore", archive)
    assert "All checksums are right." in said
    assert ", 0 findings" in said
    assert there.rows() == here.rows()
    assert there.files() == here.files() != {}
    assert "sealed events are as recorded" in there.slipway("audit", "verify")
    assert "not empty" in there.slipway("restore", archive, code=2)


def test_a_dump_that_fails_leaves_no_table(archive: Path, there: Installation, tmp_path: Path) -> None:
    """What the dump makes is there already, where nobody looked for it."""
    with psycopg.connect(there.settings["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE SEQUENCE audit_event_id_seq")
    said = there.slipway("restore", archive, code=1)
    assert "pg_restore failed" in said
    assert "already exists" in said
    assert there.rows() == {}
    assert "was not finished" in there.slipway("migrate", code=2)
    with psycopg.connect(there.settings["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("DROP SEQUENCE audit_event_id_seq")
    assert "files were there already" in there.slipway("restore", archive, "--resume")
    assert there.slipway("migrate", "-v", "0") == ""


def test_it_goes_into_what_it_came_from(archive: Path, tmp_path: Path) -> None:
    embedded = Installation(tmp_path / "embedded", {"SLIPWAY_SECRET_KEY": KEY})
    assert "The backup is of PostgreSQL" in embedded.slipway("restore", archive, code=2)


@pytest.mark.parametrize(
    ("program", "said"),
    [("exit 127", "install PostgreSQL's client"), ("echo 'pg_dump (PostgreSQL) 9.6.1'", "of version 9")],
)
def test_a_client_that_is_missing_or_too_old(here: Installation, tmp_path: Path, program: str, said: str) -> None:
    (tmp_path / "pg_dump").write_text(f"#!/bin/sh\n{program}\n")
    (tmp_path / "pg_dump").chmod(0o700)
    file = tmp_path / "new.slipway"
    assert said in here.slipway("backup", file, code=2, before=f"PATH={tmp_path}:$PATH")
    assert not list(tmp_path.glob("new*"))


def test_what_is_written_meanwhile_is_wholly_there_or_not_at_all(here: Installation, there: Installation) -> None:
    """A row that is not committed when the snapshot is taken is no part of it."""
    file = there.home.parent / "busy.slipway"
    with psycopg.connect(here.settings["DATABASE_URL"]) as other:
        other.execute("UPDATE experiments_run SET name = 'half done'")
        here.slipway("backup", file)
        other.rollback()
    there.slipway("restore", file)
    assert there.rows()["experiments_run"] == here.rows()["experiments_run"]
