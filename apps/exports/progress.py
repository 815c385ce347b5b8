"""How far it is, where that is a terminal; elsewhere the tally tells."""

from __future__ import annotations

from typing import Any, Self

from tqdm import tqdm

from apps.imports.tally import Tally


class Bar:
    """A bar of runs, with what the tally counts beside it."""

    def __init__(self, doing: str, total: int, tally: Tally) -> None:
        # `disable=None`: not where nobody watches.
        self._bar: Any = tqdm(desc=doing, total=total, unit=" runs", disable=None, leave=False, dynamic_ncols=True)
        self._tally = tally

    def add(self, runs: int) -> None:
        """So many more runs are done."""
        self._bar.update(runs)

    def __enter__(self) -> Self:
        if not self._bar.disable:
            self._tally.watch = self._bar.set_postfix_str
        return self

    def __exit__(self, *raised: object) -> None:
        self._tally.watch = None
        self._bar.close()
