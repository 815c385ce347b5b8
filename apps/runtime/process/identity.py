"""Whose something is: which process of this host made it, so that others can tell when that one has died."""

from __future__ import annotations

import os
from pathlib import Path

# Its place in /proc/<pid>/stat after the name.
_STARTED = 19


def this_process() -> str:
    """`PID.START`. A container that is started again has the same host name, and often the same process ids."""
    return f"{os.getpid()}.{start_of(str(os.getpid()))}"


def is_gone(process: str) -> bool:
    """Whether a process of this host has died. What names none, or leaves its start out, is taken by its id alone."""
    pid, _, start = process.partition(".")
    now = start_of(pid)
    return pid.isdigit() and (not now or (bool(start) and start != now))


def start_of(pid: str) -> str:
    """Ticks since the machine started; empty where there is no such process."""
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[_STARTED]
    except (OSError, IndexError):
        return ""
