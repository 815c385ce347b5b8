"""Requests as our middleware leaves them, and what pages and routes share in answering."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django_htmx.middleware import HtmxDetails

from apps.core.actor import Actor
from apps.core.errors import DomainError

API_PREFIXES = ("/api/", "/ajax-api/", "/get-artifact", "/model-versions/get-artifact", "/metrics", "/graphql", "/v1/")


class ActorRequest(HttpRequest):
    """A request behind the gate: somebody is there."""

    actor: Actor
    htmx: HtmxDetails


def is_api_path(path: str) -> bool:
    """Whether answers below `path` are JSON, errors and refusals included."""
    return path.startswith(API_PREFIXES)


def json_response(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """`data` as JSON; bytes are taken as JSON that is rendered already."""
    body = data if isinstance(data, bytes) else orjson.dumps(data)
    return HttpResponse(body, status=status, content_type="application/json", headers=headers)


def error_response(error: DomainError) -> HttpResponse:
    """The protocol's error shape, which the DRF API shares."""
    return json_response(error.as_json(), error.status, error.headers)


def is_fragment(request: ActorRequest) -> bool:
    """Whether htmx asks for the part of a page, not the page."""
    return bool(request.htmx) and not request.htmx.boosted
