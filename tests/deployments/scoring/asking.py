"""The same bodies for two servers: MLflow's own application, and our service, both in this process."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from apps.deployments.scoring.board import Board
from apps.deployments.scoring.calls import Answer, Request
from apps.deployments.scoring.config import Config, parse
from apps.deployments.scoring.model import Model
from apps.deployments.scoring.service import Service

JSON = "application/json"


@dataclass(frozen=True)
class Said:
    """An answer: `value` is the parsed JSON, or the text where it is none."""

    status: int
    value: Any
    kind: str = JSON

    @property
    def predictions(self) -> Any:
        assert self.status == 200, self.value
        return self.value["predictions"]


def config(**given: Any) -> Config:
    """A configuration that listens nowhere."""
    return parse({"model": "/nowhere", "name": "m", "version": "3", "listen": {"port": 0}, **given})


class _Collector:
    """Stands for a connection."""

    def __init__(self) -> None:
        self.answers: list[tuple[Request, Answer]] = []

    def send(self, request: Request, answer: Answer) -> None:
        self.answers.append((request, answer))


def ask_all(
    model: Model,
    bodies: list[bytes],
    kind: str = JSON,
    *,
    path: str = "/invocations",
    method: str = "POST",
    headers: dict[str, str] | None = None,
    settings: Config | None = None,
    board: Board | None = None,
) -> list[Said]:
    """The answers to requests that arrive in the same moment, in their order."""
    return asyncio.run(_ask(model, bodies, kind, path, method, headers or {}, settings or config(), board or Board(1)))


async def _ask(
    model: Model,
    bodies: list[bytes],
    kind: str,
    path: str,
    method: str,
    headers: dict[str, str],
    settings: Config,
    board: Board,
) -> list[Said]:
    loop = asyncio.get_running_loop()
    service = Service(settings, model, board, 0)
    service.start(loop)
    collector: Any = _Collector()
    requests = []
    for body in bodies:
        request = Request(collector, method.encode(), path.encode(), b"")
        request.headers = {
            b"content-type": kind.encode(),
            **{k.lower().encode(): v.encode() for k, v in headers.items()},
        }
        request.body, request.arrived = body, loop.time()
        requests.append(request)
    for request in requests:
        service.handle(request)
    while len(collector.answers) < len(bodies):
        await asyncio.sleep(0.001)
        service.sweep(loop.time())
    answers = dict(collector.answers)
    service.lanes.close()
    return [_said(answers[request].status, answers[request].body, answers[request].kind) for request in requests]


def ask(model: Model, body: Any, kind: str = JSON, **more: Any) -> Said:
    """The answer to one request. A body that is no bytes is sent as JSON."""
    return ask_all(model, [body if isinstance(body, bytes) else json.dumps(body).encode()], kind, **more)[0]


def ask_mlflow(pyfunc: Any, body: Any, kind: str = JSON) -> Said:
    """What MLflow's application answers to a POST to /invocations; 500 for what it lets escape."""
    app = _mlflow_app(pyfunc)
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        return asyncio.run(_through_asgi(app, sent, kind))
    except Exception:  # noqa: BLE001
        return Said(500, "Internal Server Error", "text/plain")


_apps: dict[int, tuple[Any, Any]] = {}


def _mlflow_app(pyfunc: Any) -> Any:
    """Its application, made once for each model."""
    from mlflow.pyfunc import scoring_server

    if id(pyfunc) not in _apps:
        _apps[id(pyfunc)] = pyfunc, scoring_server.init(pyfunc)
    return _apps[id(pyfunc)][1]


async def _through_asgi(app: Any, body: bytes, kind: str) -> Said:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/invocations",
        "raw_path": b"/invocations",
        "query_string": b"",
        "headers": [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())],
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
    }
    events: list[dict[str, Any]] = []
    coming = [{"type": "http.request", "body": body, "more_body": False}]
    never = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if not coming:
            await never.wait()
        return coming.pop()

    async def send(event: dict[str, Any]) -> None:
        events.append(event)

    await app(scope, receive, send)
    start = next(event for event in events if event["type"] == "http.response.start")
    whole = b"".join(event.get("body", b"") for event in events if event["type"] == "http.response.body")
    return _said(start["status"], whole, dict(start["headers"]).get(b"content-type", b""))


def _said(status: int, body: bytes, kind: bytes) -> Said:
    try:
        value = json.loads(body)
    except ValueError:
        value = body.decode()
    if isinstance(value, dict):
        value.pop("stack_trace", None)
    return Said(status, value, kind.decode().split(";")[0])
