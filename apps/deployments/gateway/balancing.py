"""Which revision answers a call: by weights, exactly over time, or always the same one for a key."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from hashlib import blake2b


class Split:
    """The weights of a deployment's revisions, by their numbers, and where the turn is.

    Smooth weighted round robin: of 100 calls in a row, each revision gets just its percents, spread evenly.
    """

    __slots__ = ("_credit", "weights")

    def __init__(self, weights: Mapping[int, int]) -> None:
        self.weights = {number: weight for number, weight in sorted(weights.items()) if weight > 0}
        self._credit = dict.fromkeys(self.weights, 0)

    def next(self, among: Collection[int]) -> int | None:
        """The revision whose turn it is, among those that can answer; None where none of them has a weight."""
        best, total = None, 0
        for number, weight in self.weights.items():
            if number in among:
                total += weight
                self._credit[number] += weight
                if best is None or self._credit[number] > self._credit[best]:
                    best = number
        if best is not None:
            self._credit[best] -= total
        return best

    def of_key(self, key: bytes, among: Collection[int]) -> int | None:
        """The revision of a key: the same as long as weights are, and for most keys when they change.

        Rendezvous hashing: a revision that gets more weight takes keys of the others and gives none away.
        """
        scores = {
            number: -weight / math.log(_fraction(key, number))
            for number, weight in self.weights.items()
            if number in among
        }
        return max(scores, key=scores.__getitem__, default=None)


def _fraction(key: bytes, number: int) -> float:
    """Evenly spread between 0 and 1, both excluded."""
    digest = blake2b(key, digest_size=8, key=number.to_bytes(8, "big")).digest()
    return ((int.from_bytes(digest, "big") >> 12) + 0.5) / 2.0**52
