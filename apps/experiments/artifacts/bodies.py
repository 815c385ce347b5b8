"""The body of an upload, piece by piece."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, UnreadablePostError

from apps.core.errors import BadRequest, TooLarge


class Body:
    """A request's body as a source. Raises `BadRequest` when it ends before what was announced."""

    def __init__(self, request: HttpRequest, at_most: int | None = None) -> None:
        announced = request.META.get("CONTENT_LENGTH") or ""
        self.length = int(announced) if announced.isdecimal() else None
        self._at_most = at_most
        self._stream = self._stream_of(request)
        self._taken = 0
        self._check_size(self.length or 0)

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes; none at the end."""
        try:
            piece: bytes = self._stream.read(size)
        except (UnreadablePostError, ConnectionError) as error:
            raise _incomplete() from error
        self._taken += len(piece)
        self._check_size(self._taken)
        if not piece and size and self.length is not None and self._taken < self.length:
            raise _incomplete()
        return piece

    def _stream_of(self, request: HttpRequest) -> Any:
        """Django's own where a length was announced; else the server's, if it knows where the body ends."""
        environ: dict[str, Any] = request.META
        if self.length is None and environ.get("wsgi.input_terminated"):
            return environ["wsgi.input"]
        return request

    def _check_size(self, size: int) -> None:
        if self._at_most is not None and size > self._at_most:
            raise TooLarge(f"Artifact size is too large. Max size is {self._at_most // 1024**2}MB.")


def _incomplete() -> BadRequest:
    return BadRequest("The body ended before it was complete; nothing was kept.")
