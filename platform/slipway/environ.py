"""A request as ASGI describes it, said as WSGI says it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes

Scope = Mapping[str, Any]
Environ = dict[str, Any]

CHUNK = 256 * 1024


class FileWrapper:
    """`wsgi.file_wrapper`: an open file in chunks that are worth a crossing."""

    def __init__(self, file: Any, block_size: int = CHUNK) -> None:
        self._file, self._size = file, max(block_size, CHUNK)
        self.close = getattr(file, "close", lambda: None)

    def __iter__(self) -> FileWrapper:
        return self

    def __next__(self) -> bytes:
        chunk: bytes = self._file.read(self._size)
        if not chunk:
            raise StopIteration
        return chunk


def environ_of(scope: Scope, body: BinaryIO, length: int | None) -> Environ:
    """The environ of a request; `length` is that of the body, None where it is still on its way."""
    client, server = scope.get("client") or ("", 0), scope.get("server") or ("", None)
    root = scope.get("root_path", "")
    raw_path = scope.get("raw_path") or scope["path"].encode()
    path = unquote_to_bytes(raw_path.partition(b"?")[0]).decode("latin-1")
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": root.encode().decode("latin-1"),
        "PATH_INFO": path,
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0] or "localhost",
        "SERVER_PORT": str(server[1] or 80),
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        # The body ends where its bytes end, also where no length was sent.
        "wsgi.input_terminated": True,
    }
    _add_headers(environ, scope["headers"])
    if length is not None and "HTTP_TRANSFER_ENCODING" in environ:
        environ["CONTENT_LENGTH"] = str(length)
    return environ


def _add_headers(environ: Environ, headers: Iterable[tuple[bytes, bytes]]) -> None:
    for raw_name, raw_value in headers:
        # `X_Real_User` would arrive under the name of `X-Real-User`.
        if b"_" in raw_name:
            continue
        name = raw_name.decode("latin-1").upper().replace("-", "_")
        key = name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
        value = raw_value.decode("latin-1")
        if key in environ:
            value = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{value}"
        environ[key] = value
