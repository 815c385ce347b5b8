from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from apps.imports.places import Trees
from apps.imports.sources.base import Source


@dataclass(frozen=True, slots=True)
class Opened:
    """A source, and the folders beside it in which MLflow keeps files unless it is told otherwise."""

    source: Source
    beside: tuple[Path, ...] = ()
    # Where the source itself is the way to its files.
    trees: Trees | None = None


def open_source(text: str, *, workspace: str = "") -> Opened:
    """The store that somebody names: a folder `mlruns`, a file of SQLite, or a URL. Raises `BrokenSource`."""
    from apps.imports.sources.databases import database_at
    from apps.imports.sources.folder import FolderSource
    from apps.imports.sources.rest import RestSource
    from apps.imports.sources.rest_client import RestClient
    from apps.imports.sources.sql import SQLSource

    if text.startswith(("http://", "https://")):
        rest = RestSource(RestClient(text, os.environ, workspace))
        return Opened(rest, trees=rest)
    if "://" in text and not text.startswith(("sqlite:", "file:")):
        return Opened(SQLSource(database_at(text), workspace))
    path = Path(text.removeprefix("file://").removeprefix("sqlite:///")).expanduser().resolve()
    if path.is_dir():
        return Opened(FolderSource(path), (path,))
    source = SQLSource(database_at(f"sqlite:///{path}"), workspace)
    return Opened(source, (path.parent / "mlruns", path.parent / "mlartifacts"))
