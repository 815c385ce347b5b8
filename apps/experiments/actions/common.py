from __future__ import annotations

import time

Pair = tuple[str, str]


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
