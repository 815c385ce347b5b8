"""Why an instance ended, for people: a sentence, then the end of its log."""

from __future__ import annotations

import signal

# How the scoring server begins the line that says why a model can't be served.
_SAID = "[slipway] "
_MOST_LINES = 40


def ended_words(why: str, code: int | None, tail: str) -> str:
    """`why` where more is known than the code, else what its own log says last, else the code in words."""
    lines = [line for line in tail.splitlines() if line.strip()][-_MOST_LINES:]
    own = next((line for line in reversed(lines) if line.startswith(_SAID) and "can't" in line), "")
    first = why or own.removeprefix(_SAID) or _code_words(code)
    return "\n".join([first, *lines])


def _code_words(code: int | None) -> str:
    if code is None:
        return "It ended, and nobody knows how."
    if code < 0:
        try:
            return f"It was ended by {signal.Signals(-code).name}."
        except ValueError:
            return f"It was ended by signal {-code}."
    return f"It ended with exit code {code}."
