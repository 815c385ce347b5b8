"""Django's own handler, which the ASGI front runs on a pool of threads."""

from __future__ import annotations

import os
from typing import Any

import django
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "slipway.settings.prod")


class Request(WSGIRequest):
    """A request whose body ends where its bytes end, also where no length was sent (`Transfer-Encoding: chunked`)."""

    def __init__(self, environ: dict[str, Any]) -> None:
        super().__init__(environ)
        self._is_open_ended = "HTTP_TRANSFER_ENCODING" in environ and not environ.get("CONTENT_LENGTH")
        if self._is_open_ended:
            self._stream = environ["wsgi.input"]

    def read(self, size: int | None = None, /) -> bytes:
        """Like any file; all at once only up to the limit that Django has for lengths that are told."""
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if size is not None or not self._is_open_ended or limit is None:
            return super().read(size)
        body = super().read(limit + 1)
        if len(body) > limit:
            raise RequestDataTooBig("the body is over the limit")
        return body


class Handler(WSGIHandler):
    request_class = Request


django.setup(set_prefix=False)
application = Handler()
