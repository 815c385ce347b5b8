"""How DRF meets the house: the actor of our gate, the error tree, signed page tokens."""

from __future__ import annotations

from typing import Any

from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.errors import DomainError
from apps.core.middleware import as_domain_error


class ActorAuthentication(BaseAuthentication):
    """Takes who our gate let in; never looks at credentials itself."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        actor = getattr(request._request, "actor", None)
        return (actor, None) if actor is not None else None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Slipway"'


class HasActor(BasePermission):
    """Somebody signed in, whose token reaches the view's `scope`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        actor = getattr(request._request, "actor", None)
        return actor is not None and actor.may_use(getattr(view, "scope", None), reads=request.method in SAFE_METHODS)


class TokenPagination(CursorPagination):
    """Keyset pages; `page_token` leads on."""

    cursor_query_param = "page_token"
    page_size_query_param = "page_size"
    page_size = 50
    max_page_size = 1000
    ordering = "-pk"


def exception_handler(exception: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's errors and ours in the one shape."""
    if isinstance(exception, exceptions.APIException):
        return _from_drf(exception)
    error = as_domain_error(exception)
    return _answer(error) if error else None


def _answer(error: DomainError) -> Response:
    return Response({"error_code": error.code, "message": error.message}, error.status, headers=error.headers)


_CODES = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    429: "REQUEST_LIMIT_EXCEEDED",
}


def _from_drf(exception: exceptions.APIException) -> Response:
    body: dict[str, Any] = {"error_code": _CODES.get(exception.status_code, "BAD_REQUEST"), "message": "Invalid input."}
    if isinstance(exception, exceptions.ValidationError):
        body |= {"error_code": "INVALID_PARAMETER_VALUE", "fields": exception.detail}
    else:
        body["message"] = str(exception.detail)
    return Response(body, exception.status_code)


__all__ = ["ActorAuthentication", "HasActor", "TokenPagination", "exception_handler"]
