"""What a workload is. Each returns one figure, after checking that the server really holds what it acknowledged."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from tests.benchmarks.http import Caller
from tests.benchmarks.peers import Peer

CLIENTS = 4


class Workload(ABC):
    """`more_is_better` says which way a ratio is read."""

    name: ClassVar[str]
    title: ClassVar[str]
    unit: ClassVar[str]
    more_is_better: ClassVar[bool] = True

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    @abstractmethod
    def measure(self, peer: Peer, caller: Caller) -> float:
        """Prepare, warm up, measure, check."""
