"""Why an instance ended, in a sentence for the page."""

from __future__ import annotations

import signal
from collections.abc import Iterable

from apps.runtime.process.keeping import Ended

# How the scoring server and the keeper begin lines of their own.
_OURS = "[slipway] "
_SAID_ENOUGH = (2, 3, 4, 127)


def words_of(ended: Ended, memory_mb: int | None, last_lines: Iterable[str]) -> str:
    """Empty where somebody wanted it to end."""
    if ended.is_out_of_memory or "memory" in ended.reasons:
        return f"The memory limit of {memory_mb} MB was reached." if memory_mb else "The host ran out of memory."
    if "disk" in ended.reasons:
        return "It wrote more to its disk than it may."
    if "forgotten" in ended.reasons:
        return "Nobody had looked after it for a while, so its keeper ended it."
    if "lost" in ended.reasons:
        return "Its keeper was killed, and it was ended with it."
    if "asked" in ended.reasons:
        return ""
    own = [line.removeprefix(_OURS).strip() for line in last_lines if line.startswith(_OURS)]
    if ended.code in _SAID_ENOUGH and own:
        return own[-1]
    if ended.code < 0:
        return f"It was ended by {_name(-ended.code)}."
    return f"It ended with code {ended.code}."


def _name(number: int) -> str:
    try:
        return f"the signal {signal.Signals(number).name}"
    except ValueError:
        return f"signal {number}"
