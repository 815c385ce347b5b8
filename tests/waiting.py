"""Waiting for what has to come about: by asking, never by sleeping for as long as it should take."""

from __future__ import annotations

import time
from collections.abc import Callable

# Long, since the machine may be busy: only a test that fails waits for so long.
PATIENCE = 90.0


def until(holds: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Until something holds; a test where it doesn't in time fails."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)
