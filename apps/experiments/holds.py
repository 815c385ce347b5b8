"""Files that may not change, since something above this app stands on them: a version in production, an open request.

What stands on them is asked of whoever registered (the registry). A write is refused below what a version is made of,
and elsewhere in its run where it would overwrite; removing is refused anywhere in the run.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from apps.core.errors import Conflict


@dataclass(frozen=True, slots=True)
class Things:
    """What is asked about: runs, logged models, all of some experiments (by their keys), or what lies at an address.

    `around` is an address as the protocol writes it; it stands for all above it and below it, and is slow to ask.
    `writes`: something would be written there, which also what may come back holds, and not only what stands.
    """

    runs: Collection[int] = ()
    models: Collection[int] = ()
    experiments: Collection[int] = ()
    around: str = ""
    writes: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """`reason` names what holds them, as a sentence; `folders` are the addresses of what versions are made of."""

    reason: str
    folders: frozenset[str]

    def covers(self, uri: str) -> bool:
        """Whether an address is one of the folders, or below one."""
        return any(uri == folder or uri.startswith(f"{folder}/") for folder in self.folders)


Holder = Callable[[Things], Hold | None]
_holders: list[Holder] = []


def register_holder(holder: Holder) -> None:
    """Let an app above say what it holds. With nothing held, it takes one statement that goes by an index."""
    if holder not in _holders:
        _holders.append(holder)


def find_hold(things: Things) -> Hold | None:
    """The hold on any of the things; None where they are free."""
    return next((hold for holder in _holders if (hold := holder(things))), None)


def require_free(things: Things, doing: str) -> None:
    """Raise `Conflict` where something holds one of the things; `doing` is what can't be done now: `deleted`."""
    hold = find_hold(things)
    if hold is not None:
        raise Conflict(f"This can't be {doing} now: {hold.reason}")
