"""A browser's WebSocket against our own map, without a server."""

from __future__ import annotations

from typing import Any, Self

import orjson
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings

from slipway.routing import websockets
from tests.personas import Persona


def _communicator(scope: dict[str, Any]) -> Any:
    return ApplicationCommunicator(websockets, scope)  # type: ignore[no-untyped-call]


class Socket:
    """Use as `async with Socket(persona, path) as socket`; `socket.accepted` says how the handshake went."""

    def __init__(
        self,
        persona: Persona | None,
        path: str,
        *,
        host: str = "testserver",
        origin: str | None = "http://testserver",
        address: str = "127.0.0.1",
    ) -> None:
        self._persona = persona
        self._path = path
        self._address = address
        self._headers = [(b"host", host.encode())] + ([(b"origin", origin.encode())] if origin is not None else [])
        self.session_key = ""
        self.accepted = False

    async def __aenter__(self) -> Self:
        headers = [*self._headers]
        if self._persona is not None:
            browser = await sync_to_async(self._persona.browser)()
            self.session_key = browser.cookies[settings.SESSION_COOKIE_NAME].value
            headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={self.session_key}".encode()))
        scope = {"type": "websocket", "path": self._path, "headers": headers, "query_string": b"", "subprotocols": []}
        scope["client"] = (self._address, 50_000)
        self._application = _communicator(scope)
        await self._application.send_input({"type": "websocket.connect"})
        answer = await self._application.receive_output(timeout=3)
        self.accepted = answer["type"] == "websocket.accept"
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._application.send_input({"type": "websocket.disconnect", "code": 1000})
        await self._application.wait(timeout=3)

    async def says(self, message: Any) -> None:
        await self._application.send_input({"type": "websocket.receive", "text": orjson.dumps(message).decode()})

    async def hears(self) -> Any:
        """The next message as JSON, or the code of a close."""
        output = await self._application.receive_output(timeout=3)
        return output["code"] if output["type"] == "websocket.close" else orjson.loads(output["text"])
