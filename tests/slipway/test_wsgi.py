from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig

from slipway.wsgi import Request


def request_of(body: bytes, **environ: Any) -> Request:
    base = {"REQUEST_METHOD": "PUT", "PATH_INFO": "/", "wsgi.input": io.BytesIO(body)}
    return Request({**base, **environ})


def test_a_body_without_a_length_is_read_to_its_end() -> None:
    request = request_of(b"abc" * 1000, HTTP_TRANSFER_ENCODING="chunked")
    assert request.read(5) == b"abcab"
    assert len(request.read(10_000)) == 2995


def test_a_body_with_a_length_ends_there() -> None:
    assert request_of(b"abcdef", CONTENT_LENGTH="3").body == b"abc"


def test_a_body_without_a_length_is_limited_too(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    assert request_of(b"x" * 10, HTTP_TRANSFER_ENCODING="chunked").body == b"x" * 10
    with pytest.raises(RequestDataTooBig):
        request_of(b"x" * 11, HTTP_TRANSFER_ENCODING="chunked").body  # noqa: B018
