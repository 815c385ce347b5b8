"""The gateway in this process, and calls of it as an ASGI server makes them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import Executor, Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from django.test import TestCase

from apps.deployments.gateway.app import Gateway
from apps.deployments.gateway.threads import Threads

T = TypeVar("T")
BODY = b'{"inputs": [[5.1, 3.5, 1.4, 0.2]]}'


class ByTheTest(Executor):
    """Work for the thread of the test, whose connection sees what the test has not committed; the loop has another."""

    def __init__(self) -> None:
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()

        def do() -> None:
            try:
                done.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - as an executor does
                done.set_exception(error)

        self._work.put(do)
        return done

    def run(self, scenario: Coroutine[Any, Any, Any]) -> None:
        """Run a scenario on a loop in a thread, and do here what it submits until it has ended."""
        ended: Future[None] = Future()
        Thread(target=self._live, args=(scenario, ended), daemon=True).start()
        while (work := self._work.get()) is not None:
            work()
        ended.result()

    def _live(self, scenario: Coroutine[Any, Any, Any], ended: Future[None]) -> None:
        try:
            asyncio.run(scenario)
            ended.set_result(None)
        except BaseException as error:  # noqa: BLE001 - the test raises it again
            ended.set_exception(error)
        self._work.put(None)


_here = ByTheTest()


def run(scenario: Coroutine[Any, Any, Any]) -> None:
    """Run a test that waits for the network."""
    _here.run(scenario)


def threads() -> Threads:
    """What the gateway asks the database with."""
    return Threads(_here)


async def act(work: Callable[[], T]) -> T:
    """What `work` gives, done in the test's transaction; what it does at its commit is done, too."""

    def committed() -> T:
        with TestCase.captureOnCommitCallbacks(execute=True):
            return work()

    return await asyncio.get_running_loop().run_in_executor(_here, committed)


@dataclass
class Answered:
    """What the gateway said."""

    messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode("latin-1") for name, value in self.messages[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.messages[1:])

    @property
    def is_whole(self) -> bool:
        return len(self.messages) > 1 and not self.messages[-1].get("more_body", False)

    def json(self) -> Any:
        return json.loads(self.body)


@asynccontextmanager
async def gateway() -> AsyncIterator[Gateway]:
    """A gateway that lives for the block."""
    made = Gateway(threads())
    await made.start()
    await made.watch.refresh()
    try:
        yield made
    finally:
        await made.stop()


def scope_of(
    path: str = "/serve/iris/invocations",
    method: str = "POST",
    query: bytes = b"",
    headers: Iterable[tuple[str, str]] = (),
) -> dict[str, Any]:
    """A request as a server describes it."""
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "http_version": "1.1",
        "scheme": "http",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
        "client": ("127.0.0.1", 1234),
        "server": ("127.0.0.1", 5000),
        "root_path": "",
    }


async def ask(
    app: Callable[..., Awaitable[None]],
    token: str | None = None,
    path: str = "/serve/iris/invocations",
    method: str = "POST",
    body: bytes | Iterable[bytes] = BODY,
    query: bytes = b"",
    **headers: str,
) -> Answered:
    """One call. A body in pieces comes without its length; headers are written with `_` for `-`."""
    named = {"host": "testserver", **{name.replace("_", "-"): value for name, value in headers.items()}}
    if token is not None:
        named["authorization"] = f"Bearer {token}"
    pieces = [body] if isinstance(body, bytes) else list(body)
    if method != "POST":
        pieces = []
    elif isinstance(body, bytes):
        named.setdefault("content-length", str(len(body)))
    else:
        named.setdefault("transfer-encoding", "chunked")
    return await send(app, scope_of(path, method, query, named.items()), pieces)


async def send(
    app: Callable[..., Awaitable[None]], scope: dict[str, Any], pieces: Iterable[bytes], then: str = ""
) -> Answered:
    """A request with its body in pieces; with `then="http.disconnect"` the client leaves after them."""
    answered, waiting = Answered(), list(pieces)

    async def receive() -> dict[str, Any]:
        if waiting:
            piece = waiting.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(waiting) or bool(then)}
        if then:
            return {"type": then}
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def take(message: dict[str, Any]) -> None:
        answered.messages.append(message)

    await app(scope, receive, take)
    return answered
