"""Text of a model's for somebody's terminal: it is read there, and tells that terminal nothing."""

from __future__ import annotations

import re

# Colours, and then whatever a terminal may obey: its clipboard, its title, lines that are already there.
_SPECIAL = re.compile(r"(?P<colour>\x1b\[[0-9;:]*m)|\r+(?P<end>\n?)|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def harmless(text: str) -> str:
    """Colours stay, a carriage return begins a line, and other controls are shown as symbols (`␛`)."""
    return _SPECIAL.sub(_shown, text)


def _shown(found: re.Match[str]) -> str:
    if found["colour"]:
        return found["colour"]
    if found["end"] is not None:
        return "\n"
    code = ord(found[0])
    return chr(0x2421) if code == 0x7F else chr(0x2400 + code) if code < 0x20 else "\ufffd"
