"""Where predictions are made: threads beside the loop. One that hangs is left, and another takes over what waits.

A lane takes all that waits at once, so that a batch grows with the load and a lone request waits for nobody. Only where
callers come back within the time that a batch takes does it wait for them, for a quarter of that time at the most.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Callable

from .board import BATCH_ROWS, BATCHES, PREDICT_SECONDS
from .calls import Answer, Request
from .config import Batching
from .work import Portion, Work

Delivered = list[tuple["Job", Answer]]


class Job:
    """A request with the work that it asks for."""

    __slots__ = ("deadline", "request", "work")

    def __init__(self, request: Request, work: Work, deadline: float) -> None:
        self.request, self.work, self.deadline = request, work, deadline


class Queue:
    """What waits for the lanes of one kind."""

    def __init__(self, patience: Patience | None) -> None:
        self.changed = threading.Condition(threading.Lock())
        self.jobs: deque[Job] = deque()
        self.patience = patience

    def put(self, jobs: Sequence[Job]) -> None:
        with self.changed:
            self.jobs.extend(jobs)
            self.changed.notify()

    def drop(self, job: Job) -> None:
        """Forget it, with its body, unless a lane has it already."""
        with self.changed:
            if job in self.jobs:
                self.jobs.remove(job)

    def take(self, lane: Lane, most: int) -> list[Job]:
        """All that waits, up to `most`; blocks while there is nothing. Empty when the lane has been left behind."""
        with self.changed:
            while not self.jobs and not lane.left:
                self.changed.wait()
            if self.patience is not None and not lane.left:
                self.patience.wait(self)
            if lane.left:
                self.changed.notify()
                return []
            taken = [self.jobs.popleft() for _ in range(min(most, len(self.jobs)))]
            lane.at = list(taken)
            lane.began = time.monotonic()
            return taken


class Patience:
    """How long to wait for callers who have just been answered, and are likely to come back at once."""

    def __init__(self, max_wait_s: float) -> None:
        self._max = max_wait_s
        self._hope, self._turn = 1.0, 0
        self._took = 0.0
        self._last = 0

    def note(self, jobs: int, took: float) -> None:
        """A batch of so many took so long."""
        self._last = jobs
        self._took = took if not self._took else 0.8 * self._took + 0.2 * took

    def wait(self, queue: Queue) -> None:
        """Wait with the queue's lock held, which is given up meanwhile, until as many are there as may come."""
        there = len(queue.jobs)
        self._turn += 1
        budget = min(self._max, self._took / 4)
        if budget < 0.0002 or self._last + there < 3 or (self._hope < 0.3 and self._turn % 64):
            return
        end = time.monotonic() + budget
        wanted = self._last + there
        while len(queue.jobs) < wanted:
            left = end - time.monotonic()
            if left <= 0 or not queue.changed.wait(left):
                break
        self._hope = 1.0 if len(queue.jobs) > there else self._hope / 2


class Lane:
    """One thread."""

    def __init__(self, lanes: Lanes, queue: Queue, most: int) -> None:
        self._lanes, self.queue, self.most = lanes, queue, most
        self.left = False
        #: What has been taken and not begun.
        self.at: list[Job] = []
        #: When what it is at was begun; 0 while it is at nothing.
        self.began = 0.0
        self.thread = threading.Thread(target=self._run, name="lane", daemon=True)
        self.thread.start()

    def leave_behind(self) -> None:
        """The thread hangs: what it has taken and not begun goes back into the queue, for another thread."""
        with self.queue.changed:
            self.left = True
            self.queue.jobs.extendleft(reversed(self.at))
            self.at = []
            self.queue.changed.notify_all()

    def _run(self) -> None:
        while not self.left:
            jobs = self.queue.take(self, self.most)
            if jobs:
                self._work_off(jobs)
            self.began = 0.0

    def _claim(self, jobs: list[Job]) -> bool:
        """Begin with these: False when the lane was left behind, and others do them."""
        with self.queue.changed:
            if self.left:
                return False
            self.at = [job for job in self.at if job not in jobs]
            self.began = time.monotonic()
            return True

    def _work_off(self, jobs: list[Job]) -> None:
        groups: dict[object, list[tuple[Job, Portion]]] = {}
        for job in jobs:
            portion = None if job.request.answered else job.work.prepare()
            if portion is None:
                if not self._alone(job):
                    return
            else:
                groups.setdefault(portion.key, []).append((job, portion))
        for group in groups.values():
            for some in portioned(group, self._lanes.batching.max_rows):
                if not self._together(some):
                    return

    def _alone(self, job: Job) -> bool:
        if not self._claim([job]):
            return False
        if not job.request.answered:
            self._lanes.deliver([(job, job.work.alone())])
        return True

    def _together(self, group: list[tuple[Job, Portion]]) -> bool:
        """One prediction for all, or, where that can't be, one for each: so that nobody is told of another's error."""
        jobs = [job for job, _ in group]
        if not self._claim(jobs):
            return False
        portions = [portion for _, portion in group]
        answers = portions[0].predict(portions)
        took = time.monotonic() - self.began
        if answers is None:
            with self.queue.changed:
                if self.left:
                    return False
                self.at = jobs + self.at
            return all(self._alone(job) for job in jobs)
        # Counted first: whoever has the answer finds it counted.
        self._lanes.note(sum(portion.rows for portion in portions), took)
        self._lanes.deliver(list(zip(jobs, answers)))
        if self.queue.patience is not None:
            self.queue.patience.note(len(group), took)
        return True


def portioned(group: list[tuple[Job, Portion]], max_rows: int) -> Iterable[list[tuple[Job, Portion]]]:
    """Cut a group so that no part has more rows than that, other than a single request that has them."""
    part: list[tuple[Job, Portion]] = []
    rows = 0
    for job, portion in group:
        if part and rows + portion.rows > max_rows:
            yield part
            part, rows = [], 0
        part.append((job, portion))
        rows += portion.rows
    if part:
        yield part


class Lanes:
    """The lanes of a worker: a quick one for small requests that can be batched, and a few for all others."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        batching: Batching,
        batched: bool,
        threads: int,
        numbers: memoryview[float],
        delivered: Callable[[Delivered], None],
    ) -> None:
        self._loop, self._numbers, self._delivered = loop, numbers, delivered
        self.batching = batching
        self._others = Queue(None)
        self._quick = Queue(Patience(batching.max_wait_ms / 1000)) if batched else self._others
        self.lanes = [Lane(self, self._others, 1) for _ in range(threads or (2 if batched else 4))]
        if batched:
            self.lanes.append(Lane(self, self._quick, 4 * batching.max_rows))
        self.hanging: list[Lane] = []
        self._gathered: list[Job] = []

    def put(self, job: Job, quick: bool) -> None:
        """In the loop's thread. What comes in one turn of the loop goes to the lane together."""
        if not quick:
            self._others.put([job])
            return
        if not self._gathered:
            self._loop.call_soon(self._flush)
        self._gathered.append(job)

    def drop(self, job: Job) -> None:
        """In the loop's thread: nobody waits for it any more."""
        self._gathered = [each for each in self._gathered if each is not job]
        self._quick.drop(job)
        self._others.drop(job)

    def _flush(self) -> None:
        jobs, self._gathered = self._gathered, []
        self._quick.put(jobs)

    def deliver(self, answers: Delivered) -> None:
        """In a lane's thread."""
        try:
            self._loop.call_soon_threadsafe(self._delivered, answers)
        except RuntimeError:
            pass  # The loop is closed: the server has stopped, and nobody waits.

    def note(self, rows: int, took: float) -> None:
        self._numbers[BATCHES] += 1
        self._numbers[BATCH_ROWS] += rows
        self._numbers[PREDICT_SECONDS] += took

    def leave_hanging(self, before: float) -> None:
        """Lanes that are at a prediction since before that time may never come back: others take their places."""
        for lane in list(self.lanes):
            if lane.began and lane.began < before:
                lane.leave_behind()
                self.hanging.append(lane)
                self.lanes.remove(lane)
                self.lanes.append(Lane(self, lane.queue, lane.most))

    def close(self) -> None:
        """End the threads when they are done."""
        for lane in self.lanes:
            lane.leave_behind()

    def still_hanging(self) -> bool:
        """Whether a thread that was left behind has not come back."""
        self.hanging = [lane for lane in self.hanging if lane.thread.is_alive()]
        return bool(self.hanging)
