"""How DRF meets the house: the actor of our gate, bodies, the error tree, signed page tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.pagination import BasePagination
from rest_framework.parsers import JSONParser
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.actor import Actor, Via
from apps.core.errors import DomainError, InvalidInput, TooLarge
from apps.core.middleware import as_domain_error
from apps.core.pagination import decode_token, encode_token, query_fingerprint
from apps.core.rules import scope_words

MAX_BODY = 1024 * 1024
_COOKIE_VIA = (Via.SESSION, Via.NO_LOGIN)


class ActorAuthentication(BaseAuthentication):
    """Takes who our gate let in; never looks at credentials itself. Who came by cookie has to prove where from."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        actor: Actor | None = getattr(request._request, "actor", None)
        if actor is None:
            return None
        if actor.via in _COOKIE_VIA:
            SessionAuthentication().enforce_csrf(request)
        return actor, None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Slipway"'


class HasActor(BasePermission):
    """Somebody signed in, whose token reaches the view's `scope`; project runs, the actions named in `by_runs`."""

    message = ""

    def has_permission(self, request: Request, view: Any) -> bool:
        actor: Actor | None = getattr(request._request, "actor", None)
        if actor is None:
            return False
        named = getattr(view, "action", None) or (request.method or "").lower()
        by_runs = named in getattr(view, "by_runs", ())
        scope, reads = getattr(view, "scope", None), request.method in SAFE_METHODS
        if actor.may_use(scope, reads=reads, by_runs=by_runs):
            return True
        self.message = scope_words(actor, scope, reads=reads)
        return False


class BoundedJSONParser(JSONParser):
    """JSON of at most `MAX_BODY` bytes; depth, NaN and broken text are errors of the caller."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        body = stream.read(MAX_BODY + 1)
        if len(body) > MAX_BODY:
            raise TooLarge(f"Bodies of this API are at most {MAX_BODY} bytes.")
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise exceptions.ParseError("The body is not valid JSON.") from error


class TokenPagination(BasePagination):
    """Keyset pages in the order of the view's `keyset`, a unique field; `page_token` leads on."""

    page_size = 50
    max_page_size = 1000

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """One page. Raises `InvalidInput` for a size or token that isn't one."""
        self.next_token: str | None = None
        keyset: str = getattr(view, "keyset", "-pk")
        field, size = keyset.removeprefix("-"), page_size_of(request, self.page_size, self.max_page_size)
        fingerprint = query_fingerprint(request._request.actor, request.path, _shaping(request))  # type: ignore[attr-defined]
        if token := request.query_params.get("page_token"):
            position = decode_token(fingerprint, token)
            queryset = queryset.filter(**{f"{field}__{'lt' if keyset.startswith('-') else 'gt'}": position[0]})
        rows = list(queryset.order_by(keyset)[: size + 1])
        if len(rows) > size:
            self.next_token = encode_token(fingerprint, [getattr(rows[size - 1], field)])
        return rows[:size]

    def get_paginated_response(self, data: Any) -> Response:
        return page_response(data, self.next_token)

    def get_paginated_response_schema(self, schema: Any) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["results", "next_page_token"],
            "properties": {
                "results": schema,
                "next_page_token": {"type": "string", "nullable": True, "description": "None on the last page."},
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        size = {"type": "integer", "minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        return [
            {"name": "page_size", "in": "query", "required": False, "schema": size},
            {"name": "page_token", "in": "query", "required": False, "schema": {"type": "string"}},
        ]


def page_size_of(request: Request, default: int, largest: int) -> int:
    """The `page_size` of a query string. Raises `InvalidInput`."""
    raw = request.query_params.get("page_size", "")
    if not raw:
        return default
    if not raw.isascii() or not raw.isdigit() or not 1 <= int(raw[:9]) <= largest or len(raw) > 9:
        raise InvalidInput(f"page_size: a whole number from 1 to {largest} is wanted.")
    return int(raw)


def page_response(results: Any, next_token: str | None) -> Response:
    """A page as all lists of this API show it."""
    return Response({"results": results, "next_page_token": next_token})


def exception_handler(exception: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's errors and ours in the one shape."""
    if isinstance(exception, exceptions.APIException):
        return _from_drf(exception)
    error = as_domain_error(exception)
    return _answer(error) if error else None


def _shaping(request: Request) -> list[tuple[str, list[str]]]:
    """What of a query string shapes the list: all but where in it one is."""
    return sorted((name, values) for name, values in request.query_params.lists() if not name.startswith("page_"))


def _answer(error: DomainError) -> Response:
    return Response(error.as_json(), error.status, headers=error.headers)


_CODES = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    429: "REQUEST_LIMIT_EXCEEDED",
}


def _from_drf(exception: exceptions.APIException) -> Response:
    body: dict[str, Any] = {"error_code": _CODES.get(exception.status_code, "BAD_REQUEST")}
    if isinstance(exception, exceptions.ValidationError):
        fields: Any = exception.detail if isinstance(exception.detail, dict) else {"body": exception.detail}
        body |= {"error_code": "INVALID_PARAMETER_VALUE", "message": _in_words(fields), "fields": fields}
    else:
        body["message"] = str(exception.detail)
    challenge = getattr(exception, "auth_header", None)
    return Response(body, exception.status_code, headers={"WWW-Authenticate": challenge} if challenge else None)


def _in_words(fields: Mapping[str, Any]) -> str:
    return "Invalid input: " + "; ".join(f"{name}: {_first_of(errors)}" for name, errors in fields.items())


def _first_of(errors: Any) -> str:
    while isinstance(errors, (list, dict)) and errors:
        errors = next(iter(errors.values())) if isinstance(errors, dict) else errors[0]
    return str(errors)
