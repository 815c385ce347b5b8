"""Lines of the log, on standard output: plain, one for each thing that happened, at once."""

from __future__ import annotations

import os


def say(line: str) -> None:
    """Write a line. A log that nobody takes any more must not stop the server."""
    try:
        os.write(1, f"[slipway] {line}\n".encode("utf-8", "replace"))
    except OSError:
        pass
