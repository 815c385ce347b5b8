"""What each address answers."""

from __future__ import annotations

import asyncio
import hmac
import importlib
import time
from typing import Any, Callable

from . import metrics, openinference
from .authorize import NO_TOKEN, Gatekeeper
from .board import BUCKETS, FIRST_BUCKET, IN_FLIGHT, REFUSED, SECONDS, STATUSES, TIMEOUTS, Board
from .calls import Answer, Request, problem
from .config import Config
from .invocations import Invocation
from .lanes import Job, Lanes
from .model import Model
from .work import Work

#: A body larger than this does not go to the quick lane, where it would hold up the small ones.
QUICK_BYTES = 256 * 1024
_LATER = ((b"Retry-After", b"1"),)
#: How a caller who did not wait is counted: among the 4xx, as proxies do.
_LEFT = 499
_GET, _POST = b"GET", b"POST"


class Service:
    """Handles the requests of one worker, in its loop's thread."""

    def __init__(self, config: Config, model: Model, board: Board, worker: int) -> None:
        self.config, self.model, self.board = config, model, board
        self.numbers = board[worker]
        self.jobs: set[Job] = set()
        self.lanes: Lanes
        self._gatekeeper: Gatekeeper | None = None
        self._secret = config.secret.encode() if config.secret else None
        version: Any = importlib.import_module("mlflow.version")
        self._version = Answer(200, str(version.VERSION).encode())
        self._open: dict[bytes, Callable[[], Answer]] = {
            b"/ping": lambda: Answer(200, b"\n"),
            b"/health": lambda: Answer(200, b"\n"),
            b"/version": lambda: self._version,
            b"/metrics": lambda: metrics.rendered(board, config),
        }

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """What needs the loop, and threads."""
        config, model = self.config, self.model
        self.lanes = Lanes(loop, config.batching, model.batched, config.threads, self.numbers, self.delivered)
        if config.authorize is not None:
            self._gatekeeper = Gatekeeper(loop, config.authorize)

    def handle(self, request: Request) -> None:
        """Answer now, or when the work is done."""
        path = request.path
        if path == b"/invocations":
            if request.method == _POST:
                self._take(request, Invocation)
            else:
                request.answer(not_allowed(_POST))
        elif path in self._open:
            request.answer(self._open[path]() if request.method in (_GET, b"HEAD") else not_allowed(_GET))
        elif path == b"/v2" or path.startswith(b"/v2/"):
            self._version_2(request)
        else:
            request.answer(problem(404, "ENDPOINT_NOT_FOUND", f"There is nothing at {path.decode('latin-1')[:200]}."))

    def _version_2(self, request: Request) -> None:
        if openinference.is_infer(request.path, self.config):
            if request.method == _POST:
                self._take(request, openinference.Inference)
            else:
                request.answer(openinference.as_protocol(not_allowed(_POST)))
        elif request.method not in (_GET, b"HEAD"):
            request.answer(openinference.as_protocol(not_allowed(_GET)))
        else:
            answer = openinference.read(request.path, self.config, self.model)
            request.answer(answer or openinference.error(404, "There is nothing at this address."))

    def refusal(self, request: Request) -> Answer | None:
        """What a request is answered whose head shows that it is not let in: nobody's body is taken for that."""
        if request.method != _POST or request.path in self._open:
            return None
        answer = self._without_secret(request)
        if answer is None and self._gatekeeper is not None and not request.headers.get(b"authorization"):
            answer = NO_TOKEN
        if answer is None:
            return None
        self._count(answer.status, 0.0)
        return openinference.as_protocol(answer) if _is_v2(request) else answer

    # Requests that predict

    def _without_secret(self, request: Request) -> Answer | None:
        sent = request.headers.get(b"x-slipway-instance-secret", b"")
        if self._secret is None or hmac.compare_digest(sent, self._secret):
            return None
        return problem(401, "UNAUTHENTICATED", "This instance is called through the gateway.")

    def _take(self, request: Request, kind: Callable[[Model, Request, Config], Work]) -> None:
        """Let in who may call, and give the work to a lane."""
        refused = self._without_secret(request)
        if refused is not None:
            self._refuse(request, refused)
            return
        if self._gatekeeper is None:
            self._put(request, kind)
            return

        def told(answer: Answer | None) -> None:
            if request.answered:
                return
            if answer is None:
                self._put(request, kind)
            else:
                self._refuse(request, answer)

        self._gatekeeper.ask(request.headers.get(b"authorization", b""), told)

    def _put(self, request: Request, kind: Callable[[Model, Request, Config], Work]) -> None:
        if len(self.jobs) >= self.config.concurrency:
            self.numbers[REFUSED] += 1
            message = f"{self.config.concurrency} requests are in flight, as many as a worker takes. Try again."
            self._refuse(request, problem(429, "REQUEST_LIMIT_EXCEEDED", message, _LATER))
            return
        job = Job(request, kind(self.model, request, self.config), request.arrived + self.config.timeout_s)
        self.jobs.add(job)
        self.lanes.put(job, quick=len(request.body) <= QUICK_BYTES)

    def _refuse(self, request: Request, answer: Answer) -> None:
        self._count(answer.status, 0.0)
        _send(request, answer)

    def delivered(self, answers: list[tuple[Job, Answer]]) -> None:
        """Called by lanes, in the loop's thread."""
        now = time.monotonic()
        for job, answer in answers:
            self._finish(job, answer, now)

    def _finish(self, job: Job, answer: Answer, now: float) -> None:
        if job in self.jobs:
            self.jobs.remove(job)
            self._count(answer.status, now - job.request.arrived)
            _send(job.request, answer)

    def left(self, request: Request) -> None:
        """Its caller is gone: its place is free at once, and what is not begun never will be."""
        job = next((job for job in self.jobs if job.request is request), None)
        if job is not None:
            self.jobs.remove(job)
            self.lanes.drop(job)
            self._count(_LEFT, time.monotonic() - request.arrived)

    def sweep(self, now: float) -> None:
        """Answer what has waited for too long, and leave threads that hang."""
        self.numbers[IN_FLIGHT] = len(self.jobs)
        for job in [job for job in self.jobs if job.deadline <= now]:
            self.numbers[TIMEOUTS] += 1
            self._finish(job, problem(504, "DEADLINE_EXCEEDED", "Request processing time exceeded limit"), now)
        self.lanes.leave_hanging(now - self.config.timeout_s)

    def _count(self, status: int, seconds: float) -> None:
        numbers = self.numbers
        numbers[STATUSES + min(max(status // 100 - 2, 0), 3)] += 1
        numbers[SECONDS] += seconds
        place = FIRST_BUCKET
        for bucket in BUCKETS:
            if seconds <= bucket:
                break
            place += 1
        numbers[place] += 1


def _send(request: Request, answer: Answer) -> None:
    """An error below /v2 has that protocol's shape."""
    request.answer(openinference.as_protocol(answer) if answer.status >= 400 and _is_v2(request) else answer)


def _is_v2(request: Request) -> bool:
    return request.path.startswith(b"/v2")


def not_allowed(allowed: bytes) -> Answer:
    return problem(405, "BAD_REQUEST", f"Use {allowed.decode()}.", ((b"Allow", allowed),))
