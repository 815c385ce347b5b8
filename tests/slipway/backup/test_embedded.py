"""From one data folder to another."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import pytest

from tests.slipway.backup.installations import Installation, copy_of

pytestmark = pytest.mark.xdist_group("backup")


def test_all_rows_and_files_come_back(demo: Installation, archive: Path, tmp_path: Path) -> None:
    there = Installation(tmp_path / "there")
    said = there.slipway("restore", archive)
    assert "All checksums are right." in said
    assert there.files() == demo.files() != {}
    assert there.rows() == demo.rows()
    assert (there.home / "secret_key").read_text() == (demo.home / "secret_key").read_text()
    assert "sealed events are as recorded" in there.slipway("audit", "verify")
    assert there.slipway("migrate", "-v", "0") == ""
    assert not [path for path in there.home.rglob("*") if path.stat().st_mode & 0o077]


@pytest.mark.skipif(shutil.which("zstd") is None, reason="tar needs the zstd program")
def test_other_tools_read_it(archive: Path, demo: Installation, tmp_path: Path) -> None:
    subprocess.run(["tar", "--zstd", "-xf", archive, "-C", tmp_path], check=True)
    files = {str(path.relative_to(tmp_path / "files")) for path in (tmp_path / "files").rglob("*") if path.is_file()}
    assert files == set(demo.files())
    assert (tmp_path / "database" / "slipway.db").read_bytes().startswith(b"SQLite format 3")


def test_while_somebody_writes(demo: Installation, tmp_path: Path) -> None:
    """Rows that were committed together are saved together, files that come and go are no fault, and none is torn."""
    here, there, file = copy_of(demo, tmp_path / "here"), Installation(tmp_path / "there"), tmp_path / "busy.slipway"
    with sqlite3.connect(here.home / "slipway.db") as connection:
        connection.execute("CREATE TABLE pairs (side TEXT, number INTEGER)")
    # What a backup that was killed has left is written over.
    file.with_name("busy.slipway.part").write_bytes(b"left" * 1000)
    stop = threading.Event()
    writer = threading.Thread(target=_write_pairs, args=(here.home, stop))
    writer.start()
    try:
        here.slipway("backup", file, "--with-key")
    finally:
        stop.set()
        writer.join()
    there.slipway("restore", file)
    with sqlite3.connect(there.home / "slipway.db") as connection:
        counts = connection.execute("SELECT side, count(*) FROM pairs GROUP BY side ORDER BY side").fetchall()
    (_, left), (_, right) = counts
    assert left == right > 0
    assert set(there.files()["0/replaced.bin"]) == {there.files()["0/replaced.bin"][0]}
    assert not list(tmp_path.glob("*.part"))


def _write_pairs(home: Path, stop: threading.Event) -> None:
    folder, number = home / "artifacts" / "0", 0
    folder.mkdir(exist_ok=True)
    with closing(sqlite3.connect(home / "slipway.db", timeout=30)) as connection:
        while not stop.is_set():
            number += 1
            with connection:
                connection.execute("INSERT INTO pairs VALUES ('left', ?)", [number])
                connection.execute("INSERT INTO pairs VALUES ('right', ?)", [number])
            (home / "uploads" / "x").write_bytes(bytes([number % 256]) * 500_000)
            (home / "uploads" / "x").replace(folder / "replaced.bin")
            (folder / "fleeting" / str(number)).mkdir(parents=True)
            (folder / "fleeting" / str(number) / "file").write_text("soon gone")
            shutil.rmtree(folder / "fleeting")


def test_it_does_not_lie_in_what_it_saves(demo: Installation, tmp_path: Path) -> None:
    assert "choose another place" in demo.slipway("backup", demo.home / "artifacts" / "x.slipway", code=2)
    (taken := tmp_path / "taken").write_text("mine")
    assert "is there already" in demo.slipway("backup", taken, code=2)
    assert taken.read_text() == "mine"
    nothing = Installation(tmp_path / "nothing")
    assert "no database to save" in nothing.slipway("backup", tmp_path / "x.slipway", code=2)
    assert not (nothing.home / "slipway.db").exists()
