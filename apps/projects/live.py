"""Tells open pages that a run or its log changed (`apps.core.live`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from apps.core.live import Pushes

Part = Literal["run", "log"]


def touch(run_id: int, part: Part) -> None:
    """Say, after commit, that a project run, or its log, changed."""
    pushes.touch(run_id, part)


def run_group(run_id: int) -> str:
    """The group that pages of the run listen to."""
    return f"project-run.{run_id}"


def messages_of(parts_by_run: Mapping[int, set[str]]) -> dict[str, dict[str, Any]]:
    """What the pages of each run are told: which parts of it changed."""
    return {
        run_group(run_id): {"type": "run.touched", "parts": sorted(parts)} for run_id, parts in parts_by_run.items()
    }


pushes = Pushes[int]("projects", messages_of)
