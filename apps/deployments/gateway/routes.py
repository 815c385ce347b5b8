"""What can be called below `/serve/<deployment>/`, and at a deployment's own port. No other path reaches a model."""

from __future__ import annotations

import re
from dataclasses import dataclass

from apps.core.errors import EndpointNotFound, MethodNotAllowed

PREFIX = b"/serve/"
_READS = ("GET", "HEAD")
# A name of a model in a path of the inference protocol, percent-encoded where need be, but for what makes other paths.
_SEGMENT = r"(?!\.{1,2}(?:/|$))(?:[A-Za-z0-9._~@+=,:!-]|%(?!2[fFeE]|5[cC]|0|1|7[fF])[0-9A-Fa-f]{2}){1,600}"


@dataclass(frozen=True, slots=True)
class Route:
    """`pattern` is of all that follows the deployment's name."""

    name: str
    pattern: str
    methods: tuple[str, ...]


ROUTES = (
    Route("invocations", r"invocations", ("POST",)),
    Route("ping", r"ping", _READS),
    Route("health", r"health", _READS),
    Route("version", r"version", _READS),
    Route("v2", r"v2", _READS),
    Route("v2-health", r"v2/health/(?:live|ready)", _READS),
    Route("v2-model", rf"v2/models/{_SEGMENT}(?:/versions/{_SEGMENT})?(?:/ready)?", _READS),
    Route("v2-infer", rf"v2/models/{_SEGMENT}(?:/versions/{_SEGMENT})?/infer", ("POST",)),
)
# Infer first: a version may not be called so.
_PATTERNS = tuple((re.compile(route.pattern.encode()), route) for route in reversed(ROUTES))
_found: dict[bytes, Route | None] = {}
_KEPT_AT_MOST = 1024


def split_path(path: bytes) -> tuple[bytes, bytes]:
    """The deployment's name, in small letters, and what follows it; empty for a path that is not ours."""
    name, slash, rest = path[len(PREFIX) :].partition(b"/")
    if not path.startswith(PREFIX) or not slash or len(name) > 63 or not name.replace(b"-", b"").isalnum():
        return b"", b""
    return name.lower(), rest


def route_of(rest: bytes, method: str) -> Route:
    """The route of what follows the name. Raises `EndpointNotFound` and `MethodNotAllowed`."""
    try:
        route = _found[rest]
    except KeyError:
        route = _look_up(rest)
    if route is None:
        raise EndpointNotFound("No such route on this server.")
    if method not in route.methods:
        message = f"{method[:20]} is not taken here, but {' and '.join(route.methods)}."
        raise MethodNotAllowed(message, headers={"Allow": ", ".join(route.methods)})
    return route


def _look_up(rest: bytes) -> Route | None:
    route = next((route for pattern, route in _PATTERNS if pattern.fullmatch(rest)), None)
    if len(_found) >= _KEPT_AT_MOST:
        _found.clear()
    _found[rest] = route
    return route
