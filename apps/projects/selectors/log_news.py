"""What an open page of a run is told: how far it is, and the log from where the page has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apps.projects.models import ProjectRun
from apps.projects.selectors.logs import LogPart, read_log, read_log_before

# What a page begins with, where the log is longer: its end.
SHOWN_BYTES = 96 * 1024
PIECE_BYTES = 128 * 1024
# A page that is further behind is given the end instead: it would not show the rest anyway.
MOST_BEHIND_BYTES = 4 * 1024 * 1024


@dataclass
class Seen:
    """What one page has. `have`: the log up to that byte, of which it waits for more; None: it doesn't wait."""

    have: int | None = None
    tail: str = ""
    state: tuple[Any, ...] = ()


def news_of(run: ProjectRun, seen: Seen) -> dict[str, Any]:
    """The news for a page, empty where there is none; moves `seen` on. One statement at most.

    `run`: its state; `tail`: the line that is being written; `log`: text from byte `start` up to `next`, with the
    number of its first `line` where lines were left out; `complete`: the run has ended, and the page has all of it.
    """
    news: dict[str, Any] = {}
    state = (run.state, run.message, run.attempt, run.started_ms, run.ended_ms, run.exit_code, run.cancel_ms)
    if state != seen.state:
        seen.state = state
        news["run"] = state_of(run)
    if seen.have is not None:
        news |= _log(run, seen, seen.have)
    tail = run.tail if run.is_held else ""
    if tail != seen.tail:
        seen.tail = tail
        news["tail"] = tail
    return news


def state_of(run: ProjectRun) -> dict[str, Any]:
    """How far a run is, as JSON; times in ms since the epoch."""
    return {
        "state": run.state,
        "is_active": run.is_active,
        "is_cancelling": run.is_active and run.cancel_ms is not None,
        "message": run.message,
        "attempt": run.attempt,
        "started_ms": run.started_ms,
        "ended_ms": run.ended_ms,
        "exit_code": run.exit_code,
    }


def end_of_log(run: ProjectRun) -> dict[str, Any]:
    """What a page begins with: the whole log where it is short, else its end."""
    part = read_log_before(run, run.log_bytes, SHOWN_BYTES)
    return part_of(part) | {"line": run.log_lines - part.data.count(b"\n") + 1}


def part_of(part: LogPart) -> dict[str, Any]:
    """A part of a log as JSON."""
    return {"start": part.start, "next": part.next_offset, "text": part.text}


def _log(run: ProjectRun, seen: Seen, have: int) -> dict[str, Any]:
    if run.log_bytes - have > MOST_BEHIND_BYTES:
        seen.have = None
        return {"log": end_of_log(run)}
    part = read_log(run, have, PIECE_BYTES)
    if not part.data:
        # It still waits, unless nothing comes.
        seen.have = None if part.has_ended else have
        return {"complete": True} if part.has_ended else {}
    seen.have = None
    return {"log": part_of(part)} | ({"complete": True} if part.has_ended else {})
