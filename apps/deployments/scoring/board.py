"""Numbers that all processes of the server share: a page of memory, of which each worker writes its own part alone."""

from __future__ import annotations

import mmap

#: The upper ends of the histogram of durations, in seconds.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

HEARTBEAT, CONNECTIONS, IN_FLIGHT, RETIRING, READY = 0, 1, 2, 3, 4
BATCHES, BATCH_ROWS, PREDICT_SECONDS, TIMEOUTS, REFUSED = 5, 6, 7, 8, 9
#: Answers by the first digit of their status: 2xx at 10, 3xx at 11, and so on.
STATUSES = 10
SECONDS, FIRST_BUCKET = 14, 16
WIDTH = 48


class Board:
    """`board[worker]` is that worker's part, floats at the places above. Numbers stay when a worker is replaced."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._memory = memoryview(mmap.mmap(-1, workers * WIDTH * 8)).cast("d")

    def __getitem__(self, worker: int) -> memoryview[float]:
        return self._memory[worker * WIDTH : (worker + 1) * WIDTH]

    def total(self, place: int) -> float:
        return float(sum(self._memory[place::WIDTH]))

    def of_each(self, place: int) -> list[float]:
        return list(self._memory[place::WIDTH])
