"""Listings as the protocol writes them: what is empty is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.store import Entry


def shown_files(entries: Sequence[Entry], *, below: ArtifactPath | None = None, **more: Any) -> dict[str, Any]:
    """`files` of an answer, and `more` beside it. `below`: paths are shown relative to this folder."""
    cut = len(str(below)) + 1 if below and below.segments else 0
    files = [_shown(entry, entry.path[cut:]) for entry in entries]
    return {**more, **({"files": files} if files else {})}


def _shown(entry: Entry, path: str) -> dict[str, Any]:
    if entry.is_dir:
        return {"path": path, "is_dir": True}
    return {"path": path, "is_dir": False, "file_size": entry.size}
