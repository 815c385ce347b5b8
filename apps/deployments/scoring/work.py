"""What lanes ask of a request's work."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from .calls import Answer


class Portion(ABC):
    """The rows of one request, in a form that can be predicted together with others of the same `key`."""

    key: object = None
    rows = 0

    @abstractmethod
    def predict(self, portions: Sequence[Portion]) -> list[Answer] | None:
        """An answer for each, by one prediction. None where that fails in any way: then each is done alone."""


class Work(ABC):
    """In a lane's thread."""

    def prepare(self) -> Portion | None:
        """The portion, or None where this request is not to be batched. Never raises."""
        return None

    @abstractmethod
    def alone(self) -> Answer:
        """The answer. Never raises."""
