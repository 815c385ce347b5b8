"""Our own server behind the client's connections, without a socket: what is asked meets Django's views at once."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3
from django.test import Client

from apps.deployments.client import server
from tests.personas import Persona

URI = "http://slipway.example:5000"


class Loop:
    """Stands in for a pool of connections. `away` is how many calls find nobody first; `calls` are those that came."""

    def __init__(self) -> None:
        self.away = 0
        self.calls: list[tuple[str, str, bytes]] = []
        self.models: Callable[[bytes], tuple[int, bytes]] = lambda body: (503, b'{"message": "Nothing serves."}')

    def request(self, method: str, url: str, headers: Any = None, **more: Any) -> urllib3.HTTPResponse:
        """As `urllib3.PoolManager.request`."""
        if self.away:
            self.away -= 1
            raise urllib3.exceptions.NewConnectionError(None, "refused")  # type: ignore[arg-type]
        body = json.dumps(more["json"]).encode() if "json" in more else more.get("body", b"")
        address = urlsplit(url)
        self.calls.append((method, address.path, body))
        if address.path.startswith("/serve/"):
            status, content = self.models(body)
            return answer(status, content)
        sent = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in (headers or {}).items()}
        path = f"{address.path}?{address.query}" if address.query else address.path
        found = Client().generic(method, path, body, content_type="application/json", **sent)
        return answer(found.status_code, found.content, dict(found.items()))


def answer(status: int, content: bytes, headers: Any = None) -> urllib3.HTTPResponse:
    """One that was not read yet."""
    return urllib3.HTTPResponse(io.BytesIO(content), headers or {}, status, preload_content=False)


def connect(monkeypatch: pytest.MonkeyPatch, who: Persona) -> Loop:
    """Let clients be somebody from now on."""
    loop = Loop()
    monkeypatch.setattr(server, "pool_of", lambda env, retries: loop)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", URI)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", who.token)
    return loop
