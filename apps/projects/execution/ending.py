"""How an attempt ended, in words."""

from __future__ import annotations

import signal
from contextlib import suppress


class Stopped(Exception):
    """The attempt is to end: somebody cancelled it, or it isn't this worker's any more."""


def words_of(code: int, note: str = "") -> str:
    """For a command that failed: its code or signal, and what is known besides."""
    if code >= 0:
        said = f"The command ended with {code}."
        if code == 126:
            said = "The command ended with 126: something in it can't be executed."
        if code == 127:
            said = "The command ended with 127: something in it was not found."
    else:
        name = str(-code)
        with suppress(ValueError):
            name = f"{-code} ({signal.Signals(-code).name})"
        said = f"The command was killed by signal {name}."
    return f"{said} {note}".strip()
