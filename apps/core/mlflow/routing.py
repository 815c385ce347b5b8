"""The protocol's routes as a table: one Django view looks a call up, checks its scope, reads it and answers.

An app lists its routes in `mlflow/urls.py`; `slipway.urls` joins the tables. Each route is served below `/api/` and
`/ajax-api/` alike, so no twin can lack a check.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.core.actor import Actor, Scope
from apps.core.errors import EndpointNotFound, MethodNotAllowed, PermissionDenied
from apps.core.http import json_response
from apps.core.mlflow.wire import Request, read_request
from apps.core.rules import NOT_FOR_RUNS, scope_words, signed_in

Handler = Callable[[Actor, Any], Any]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A handler `(actor, request) -> JSON-able, bytes of JSON or a response`, and the scope that reaches it."""

    handler: Handler
    request_type: type[Request]
    scope: Scope | None
    reads: bool
    any_token: bool = False
    by_runs: bool = False

    def refuse_others(self, actor: Actor) -> None:
        """Raise `PermissionDenied` for credentials that don't reach it."""
        if actor.confined is not None and not self.by_runs:
            raise PermissionDenied(NOT_FOR_RUNS)
        if not (self.any_token or actor.may_use(self.scope, reads=self.reads, by_runs=self.by_runs)):
            raise PermissionDenied(scope_words(actor, self.scope, reads=self.reads))


def endpoint(
    scope: Scope | None, *, reads: bool = False, any_token: bool = False, by_runs: bool = False
) -> Callable[[Handler], Endpoint]:
    """Declare a handler. `scope` None: only tokens that may do everything (or read, where it reads) reach it.

    `any_token`: every token does, whatever its scopes, but those of project runs. `by_runs`: those do too.
    """

    def declare(handler: Handler) -> Endpoint:
        hints = get_type_hints(handler)
        request_type = next(
            kind for name, kind in hints.items() if isinstance(kind, type) and issubclass(kind, Request)
        )
        return Endpoint(handler, request_type, scope, reads, any_token, by_runs)

    return declare


@dataclass(frozen=True, slots=True)
class Route:
    """`path` is below `/api/`, with `{name}` for values: `2.0/mlflow/logged-models/{model_id}`."""

    method: str
    path: str
    endpoint: Endpoint


class RouteTable:
    """All routes of the protocol. `view` serves them."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = list(routes)
        self._fixed: dict[str, dict[str, Endpoint]] = {}
        self._patterns: dict[str, tuple[re.Pattern[str], dict[str, Endpoint]]] = {}
        for route in self.routes:
            self._add(route)

    def _add(self, route: Route) -> None:
        if "{" in route.path:
            pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.path))
            methods = self._patterns.setdefault(route.path, (pattern, {}))[1]
        else:
            methods = self._fixed.setdefault(route.path, {})
        if route.method in methods:
            raise ValueError(f"{route.method} {route.path} is declared twice")
        methods[route.method] = route.endpoint

    def find(self, method: str, path: str) -> tuple[Endpoint, Mapping[str, str]]:
        """The endpoint and the values in its path. Raises `EndpointNotFound` or `MethodNotAllowed`."""
        methods, values = self._methods_of(path)
        found = methods.get(method)
        if found is None:
            allowed = ", ".join(sorted(methods))
            raise MethodNotAllowed(
                f"Method {method} is not allowed here; allowed: {allowed}.", headers={"Allow": allowed}
            )
        return found, values

    def _methods_of(self, path: str) -> tuple[dict[str, Endpoint], Mapping[str, str]]:
        if path in self._fixed:
            return self._fixed[path], {}
        for pattern, methods in self._patterns.values():
            if match := pattern.fullmatch(path):
                return methods, match.groupdict()
        raise EndpointNotFound("No such route on this server.")

    def view(self) -> Callable[[HttpRequest, str], HttpResponseBase]:
        """The Django view over this table; its second argument is the path below `/api/` or `/ajax-api/`."""

        @signed_in
        def protocol(request: HttpRequest, route: str) -> HttpResponseBase:
            found, path_values = self.find(request.method or "", route)
            # For the counts of calls: the whole table is one route of Django's.
            request.route_name = found.handler.__name__  # type: ignore[attr-defined]
            actor: Actor = request.actor  # type: ignore[attr-defined]
            found.refuse_others(actor)
            answer = found.handler(actor, read_request(found.request_type, request, path_values))
            return answer if isinstance(answer, HttpResponseBase) else json_response(answer)

        protocol.table = self  # type: ignore[attr-defined]
        # Each endpoint says for itself whether project runs reach it.
        protocol.by_runs = True  # type: ignore[attr-defined]
        return protocol
