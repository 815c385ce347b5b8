"""How far it is, where that is a terminal; elsewhere the tally tells."""

from __future__ import annotations

from typing import Any, Self

from tqdm import tqdm


class Bar:
    """A bar of runs, with the number of points beside it."""

    def __init__(self, doing: str, total: int) -> None:
        # `disable=None`: not where nobody watches.
        self._bar: Any = tqdm(desc=doing, total=total, unit=" runs", disable=None, leave=False)

    def add(self, runs: int, points: int) -> None:
        """So many more runs are done, and so many points in all."""
        self._bar.set_postfix_str(f"{points:,} points", refresh=False)
        self._bar.update(runs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._bar.close()
