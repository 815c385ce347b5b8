"""One import from its beginning to its end, and what is told of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from apps.accounts.access import require_team
from apps.core.actor import Actor
from apps.imports.files import Comparison, copy_files, for_all_files
from apps.imports.models_moving import move_registry, verify_registry
from apps.imports.moving import move_tracking
from apps.imports.places import Trees
from apps.imports.sources.base import Source
from apps.imports.tally import Tally
from apps.imports.verifying import verify_tracking

Say = Callable[[str], None]


@dataclass(slots=True)
class Outcome:
    """What was done, what differs in the end, and how long the rows and the files took."""

    tally: Tally
    differences: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """All of the source is here."""
        return not self.differences and not self.tally.problems


def run_import(actor: Actor, source: Source, trees: Trees | None, say: Say, *, contents: bool = False) -> Outcome:
    """Rows, then files, then the registry, which stands on both; then all is compared. Without `trees` no files."""
    outcome = Outcome(Tally(say))
    tally = outcome.tally
    began = time.monotonic()
    moved = move_tracking(actor, source, tally)
    outcome.seconds["rows"] = time.monotonic() - began
    if trees is not None:
        began = time.monotonic()
        for_all_files(source, trees, moved, tally.problem, partial(copy_files, tally))
        outcome.seconds["files"] = time.monotonic() - began
    models = move_registry(actor, source, tally)
    say("comparing")
    outcome.differences += verify_tracking(source, moved, tally)
    outcome.differences += verify_registry(require_team(actor), models, tally)
    if trees is not None:
        comparison = Comparison(tally, contents=contents)
        # What could not be found was told when it was to be copied.
        for_all_files(source, trees, moved, lambda line: None, comparison)
        outcome.differences += comparison.differences
    return outcome
