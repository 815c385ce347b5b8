"""Tells open pages that something of a run changed. Costs the caller a set insertion; nothing is promised."""

from __future__ import annotations

from typing import Literal

Part = Literal["metrics", "params", "tags", "status", "artifacts", "datasets"]


def touch(run_id: str, part: Part) -> None:
    """Say, after commit, that `part` of the run changed."""
