"""What an import has done so far, and what it could not do."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

_SHOWN = 20
_SECONDS = 2.0
_SECONDS_OF_BAR = 0.2


@dataclass(slots=True)
class Mapped:
    """An experiment there and the one that stands for it here."""

    old_id: str
    name: str
    new_id: int
    was_made: bool


@dataclass(slots=True)
class Tally:
    """`brought` and `there` count by kind: what is new, and what was here before. `problems` are lines for people."""

    say: Callable[[str], None]
    brought: Counter[str] = field(default_factory=Counter)
    there: Counter[str] = field(default_factory=Counter)
    compared: Counter[str] = field(default_factory=Counter)
    mapped: list[Mapped] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    # Where somebody watches a bar: it is told how far it is, in the place of a line.
    watch: Callable[[str], None] | None = None
    _told_at: float = field(default_factory=time.monotonic)

    def progress(self, doing: str, of: Counter[str] | None = None) -> None:
        """Say how far it is, every two seconds; to a bar more often."""
        now = time.monotonic()
        if now - self._told_at < (_SECONDS if self.watch is None else _SECONDS_OF_BAR):
            return
        self._told_at = now
        counter = self.brought if of is None else of
        far = ", ".join(f"{count:,} {kind}" for kind, count in counter.items() if count)
        if self.watch is None:
            self.say(f"{doing}: {far or 'nothing new yet'}")
        else:
            self.watch(far)

    def problem(self, line: str) -> None:
        """Something that was left out, and why."""
        self.problems.append(line)
        if len(self.problems) <= _SHOWN:
            self.say(f"left out: {line}")
        elif len(self.problems) == _SHOWN + 1:
            self.say("left out: more of them are counted, and not listed")
