"""Installations that are saved and restored, and all that is in them, to compare."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

SLIPWAY = Path(sys.executable).parent / "slipway"
PASSWORD = "a long enough password"
_OURS = ("SLIPWAY_", "AWS_", "DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")


@dataclass
class Installation:
    """A data folder, and the settings that go with it."""

    home: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        """What its processes have."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        mine = {"SLIPWAY_HOME": str(self.home), "SLIPWAY_ADMIN_PASSWORD": PASSWORD, "SLIPWAY_LOG_LEVEL": "ERROR"}
        return {**kept, **mine, **self.settings}

    def slipway(self, *arguments: object, code: int = 0, before: str = "") -> str:
        """What `slipway ARGUMENTS` says, on whichever stream; it has to leave with `code`."""
        command = [str(SLIPWAY), *map(str, arguments)]
        if before:
            command = ["sh", "-c", f'{before}; exec "$@"', "sh", *command]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        if code:
            assert len(done.stderr.strip().splitlines()) == 1, done.stderr
        return (done.stderr if code else done.stdout).strip()

    def doctor(self, code: int | None = None) -> dict[str, Any]:
        """What `slipway doctor --json` says; it has to leave with `code`, where one is given."""
        command = [str(SLIPWAY), "doctor", "--json"]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, check=False)
        assert code in (None, done.returncode), done.stdout + done.stderr
        assert done.stderr == ""
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of all tables."""
        if url := self.settings.get("DATABASE_URL"):
            return _rows_of_postgres(url)
        return _rows_of_sqlite(self.home / "slipway.db")

    def files(self) -> dict[str, bytes]:
        """All files of the store, where it is a folder."""
        root = self.home / "artifacts"
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def seeded(home: Path, **settings: str) -> Installation:
    """One with something of everything in it, and sealed."""
    made = Installation(home, settings)
    made.slipway("migrate", "-v", "0")
    made.slipway("seed_demo")
    made.slipway("audit", "verify")
    return made


def copy_of(installation: Installation, home: Path) -> Installation:
    """Another with the same data folder, to be altered."""
    shutil.copytree(installation.home, home)
    return Installation(home, dict(installation.settings))


def _rows_of_sqlite(file: Path) -> dict[str, list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(file)) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_stat%'"
        )
        return {
            name: sorted(connection.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)  # noqa: S608
            for (name,) in names.fetchall()
        }


def _rows_of_postgres(url: str) -> dict[str, list[tuple[Any, ...]]]:
    with psycopg.connect(url) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return {
            name: sorted(connection.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)  # noqa: S608
            for (name,) in names
        }
