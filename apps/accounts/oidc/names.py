"""User names for people who come from a provider: theirs, bent to the rules of ours and free."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

# Who the server itself is in the audit log.
_OURS = ("system", "console", "openid-connect")
_LONGEST = 100


def usable(wanted: str) -> str:
    """A name as the site takes it: of `Ada.L@example.org` it is `ada.l`."""
    text = unicodedata.normalize("NFKC", wanted).partition("@")[0].lower()
    text = re.sub(r"[^\w.+-]+", "-", text).strip("-.+_")[:_LONGEST]
    return text or "user"


def candidates(wanted: str) -> Iterator[str]:
    """`ada`, `ada-2`, `ada-3`, and so on without an end."""
    name = usable(wanted)
    if name not in _OURS:
        yield name
    number = 2
    while True:
        yield f"{name}-{number}"
        number += 1
