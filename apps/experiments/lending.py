"""Files that are lent to people who can't read the run they lie in: readers of a version read what it is made of.

Who lends what is asked of whoever registered (the registry), and only where the ordinary check said no.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from apps.core.actor import Actor

# Whether one of these folders, by their addresses, is lent to the actor.
Lender = Callable[[Actor, Sequence[str]], bool]
_lenders: list[Lender] = []


def register_lender(lender: Lender) -> None:
    """Let an app above lend files."""
    if lender not in _lenders:
        _lenders.append(lender)


def is_lent(actor: Actor, uri: str) -> bool:
    """Whether the file or folder at an address, as the protocol writes it, lies in or is a folder lent to the actor."""
    root, *segments = uri.split("/")
    folders = ["/".join((root, *segments[:length])) for length in range(1, len(segments) + 1)]
    return any(lender(actor, folders) for lender in _lenders)
