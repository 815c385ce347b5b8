"""What was written into a folder already: beside it, in a file that survives being killed at any moment."""

from __future__ import annotations

import fcntl
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from apps.exports.targets import BadTarget

MANIFEST = "slipway-export.json"
_FOLDER = ".slipway-export"


class State:
    """Whose a folder is, a lock on it, and a stamp for each thing that stands there whole."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock: IO[bytes] | None = None
        self._database: sqlite3.Connection | None = None
        self.staging = root / _FOLDER / "staging"

    def take(self, manifest: Mapping[str, Any]) -> None:
        """Make the folder ours. Raises `BadTarget` for one that is not empty and not of the same export."""
        known = self._root / MANIFEST
        try:
            if self._root.exists() and not self._root.is_dir():
                raise BadTarget(f"{self._root} is a file.")
            if known.is_file():
                self._require_same(json.loads(known.read_bytes()), manifest)
            elif self._root.is_dir() and any(entry.name != _FOLDER for entry in self._root.iterdir()):
                raise BadTarget(f"{self._root} is not empty, and no export was begun there. Name a new folder.")
            # All of a team is in it: it is for whoever exports alone.
            self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
            (self._root / _FOLDER).mkdir(exist_ok=True)
            self._lock = (self._root / _FOLDER / "lock").open("ab")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not known.is_file():
                part = self._root / _FOLDER / "manifest"
                part.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
                part.replace(known)
            self._database = sqlite3.connect(self._root / _FOLDER / "state.sqlite", isolation_level=None)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("CREATE TABLE IF NOT EXISTS things (id TEXT PRIMARY KEY, place TEXT, stamp TEXT)")
        except BlockingIOError as error:
            raise BadTarget(f"Another export is writing into {self._root}.") from error
        except (OSError, sqlite3.Error) as error:
            raise BadTarget(f"{self._root} can't be written: {error}.") from error
        except ValueError as error:
            raise BadTarget(f"{known} can't be read: it was changed by somebody.") from error

    def stamp(self, thing: str) -> str:
        """Of what was written last; empty for what is not there."""
        found = self._rows.execute("SELECT stamp FROM things WHERE id = ?", [thing]).fetchone()
        return found[0] if found else ""

    def place(self, thing: str) -> str:
        """In which experiment a run or logged model lies; empty where it is not there."""
        found = self._rows.execute("SELECT place FROM things WHERE id = ?", [thing]).fetchone()
        return found[0] if found else ""

    def keep(self, thing: str, place: str, stamp: str) -> None:
        """It stands there whole."""
        self._rows.execute("INSERT OR REPLACE INTO things VALUES (?, ?, ?)", [thing, place, stamp])

    def close(self) -> None:
        """Let others take it."""
        if self._database is not None:
            self._database.close()
        if self._lock is not None:
            self._lock.close()

    @property
    def _rows(self) -> sqlite3.Connection:
        if self._database is None:
            raise BadTarget(f"{self._root} was not opened.")
        return self._database

    def _require_same(self, found: Any, wanted: Mapping[str, Any]) -> None:
        if not isinstance(found, dict):
            raise ValueError
        for key, value in wanted.items():
            if found.get(key) != value:
                raise BadTarget(
                    f"{self._root} holds another export ({key}: {json.dumps(found.get(key), ensure_ascii=False)}, "
                    f"now {json.dumps(value, ensure_ascii=False)}). Name a new folder."
                )
