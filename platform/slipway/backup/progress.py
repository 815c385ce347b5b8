"""How far it is, on standard error, where that is a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tqdm import tqdm


class Progress:
    """A bar of bytes."""

    def __init__(self, doing: str, total: int | None = None) -> None:
        # `disable=None`: not where nobody watches.
        self._bar: Any = tqdm(
            desc=doing, total=total, unit="B", unit_scale=True, unit_divisor=1024, disable=None, leave=False
        )

    def total(self, size: int) -> None:
        """What there is to do in all, once that is known."""
        self._bar.total = size
        self._bar.refresh()

    def add(self, size: int) -> None:
        """So much more is done."""
        self._bar.update(size)

    def watch(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The same pieces, counted as they go by."""
        for piece in pieces:
            yield piece
            self._bar.update(len(piece))

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()
